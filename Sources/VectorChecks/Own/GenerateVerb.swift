// `mandate-vectors generate FOLDER`: our own files, written where the operator says.

enum GenerateVerb {
  static let verb = VectorVerb(
    name: "generate",
    usage: "generate FOLDER   write our own vectors; what OpenSSL draws at random is kept where it still opens"
  ) { arguments, console in
    if arguments == ["--help"] || arguments == ["-h"] {
      console.out(help)
      return .passed
    }
    guard arguments.count == 1, let folder = arguments.first, !folder.hasPrefix("-") else {
      console.err(help)
      return .wrongUsage
    }
    do {
      for written in try OwnVectors.generate(into: folder) {
        let tests = written.tests > 0 ? ", \(written.tests) tests" : ""
        console.out("\(written.changed ? "written " : "the same") \(written.file)\(tests)\n")
      }
      return .passed
    } catch {
      console.err("mandate-vectors generate: \(error)\n")
      return .failed
    }
  }

  private static let help = """
    Usage: mandate-vectors generate FOLDER

    Writes our own vectors and their schemas into FOLDER and names each file with what became of it. RSA keys and RSA
    ciphertexts, which are random, stay as they are where they still do what the file says of them; without a change
    in our code nothing changes.

    """
}
