// The executable's logic: which verb, then what it does. `main` only hands over arguments and takes the exit code.

import ServiceRuntime

package enum VectorsCommand {
  package static func main() async {
    StandardStream.exit(await run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }

  package static func run(_ arguments: [String], console: Console = .standard) async -> ExitCode {
    guard let verb = arguments.first else {
      console.err(Help.overview)
      return .wrongUsage
    }
    let rest = Array(arguments.dropFirst())
    switch verb {
    case "--help", "-h", "help":
      console.out(Help.overview)
      return .passed
    case "--version":
      console.out("mandate-vectors \(ProductVersion.current)\n")
      return .passed
    case "verify": return await verify(rest, console)
    default:
      if let other = VectorVerbs.all.first(where: { $0.name == verb }) { return await other.run(rest, console) }
      console.err("mandate-vectors: there is no verb `\(Printable.name(verb))`. See mandate-vectors --help\n")
      return .wrongUsage
    }
  }

  private static func verify(_ arguments: [String], _ console: Console) async -> ExitCode {
    let options: VerifyOptions
    do throws(VerifyOptions.Problem) {
      options = try VerifyOptions(arguments)
    } catch {
      console.err("mandate-vectors verify: \(error.sentence). See mandate-vectors verify --help\n")
      return .wrongUsage
    }
    guard !options.wantsHelp else {
      console.out(Help.verify)
      return .passed
    }
    let summary = await Summary(of: options, console)
    console.out(options.json ? JSONReport.text(summary) : TableReport.text(summary, quiet: options.quiet))
    return summary.exitCode
  }
}

/// Another verb of the command, for example one that writes files of ours.
struct VectorVerb: Sendable {
  let name: String
  /// One line for the overview: the arguments, then what it does.
  let usage: String
  let run: @Sendable (_ arguments: [String], Console) async -> ExitCode
}
