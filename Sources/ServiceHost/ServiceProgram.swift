// The life of every service process, told once: harden, read the command line and the settings, build, prove, serve,
// drain, end. What a service is beyond that is its own configuration, checks and routes.
//
//   static func main() async { await ServiceProgram(name: "mandate-x", …).main() }
//
// Its executable may have verbs beside that: work that is done once, from the same beginning.

import Contracts
import HTTPServing
import Secrets
package import ServiceRuntime

package struct ServiceProgram<Configuration: ~Copyable>: Sendable {
  private let name: StaticString
  private let purpose: StaticString
  private let faces: ServiceFaces
  private let settings: [SettingDocumentation]
  private let metricNames: RequestMetricNames
  private let prepare: @Sendable () throws(StartProblem) -> Void
  private let read: @Sendable (inout SettingsReader, ServiceSettings) -> Configuration
  private let build: Builder
  private let verbs: [ServiceVerb<Configuration>]

  package typealias Builder =
    @Sendable (consuming Configuration, ServiceSettings, ServiceContext) async throws(StartProblem) -> RunningService

  /// `settings` are the service's own, in the order of `--help`, and `read` reads each of them once, touching nothing
  /// but files that they name. `prepare` comes before the first secret is read. `build` may reach out: it opens pools
  /// and loads keys. It does not wait for `checks`; these are looked at next, and one that is broken stops the start.
  package init(
    name: StaticString, purpose: StaticString, faces: ServiceFaces, settings: [SettingDocumentation],
    metricNames: RequestMetricNames = .mandate, prepare: @escaping @Sendable () throws(StartProblem) -> Void = {},
    read: @escaping @Sendable (inout SettingsReader, ServiceSettings) -> Configuration, build: @escaping Builder,
    verbs: [ServiceVerb<Configuration>] = []
  ) {
    (self.name, self.purpose, self.faces, self.metricNames) = (name, purpose, faces, metricNames)
    self.settings = settings + faces.documentation
    (self.prepare, self.read, self.build, self.verbs) = (prepare, read, build, verbs)
  }

  package func main() async -> Never {
    let started = ContinuousClock.now
    let arguments = Array(CommandLine.arguments.dropFirst())
    let line = ServiceCommandLine(program: name, purpose: purpose, settings: settings, verbs: verbs.map(\.usage))
    let output = Output(program: name, isJSON: line.wantsJSON(arguments))
    do throws(StartProblem) {
      let signals = try takeSignals()
      switch line.parse(arguments) {
      case .show(let text): try output.end(.ended, text)
      case .refuse(let sentence): output.refuse(sentence, .wrongUsage)
      case .checkConfiguration:
        let settings = try configuration(output)
        for listener in [settings.common.publicListener, settings.common.internalListener].compactMap({ $0 }) {
          do throws(HTTPServingError) { try listener.tls?.check() } catch { output.refuse(error.words, .wrongUsage) }
        }
        try output.end(.ended, "\(name): every setting can be used.\n")
      case .perform(let call):
        let report = try await perform(call, try configuration(output), signals)
        try output.end(
          report.isDone ? .ended : .failed, call.wantsJSON ? report.json.compactText() + "\n" : report.text)
      case .run:
        let (code, isBusy) = await serve(try configuration(output), signals, since: started)
        if isBusy { StandardStream.exitAmidWork(code.rawValue) }
        StandardStream.exit(code.rawValue)
      }
    } catch {
      output.refuse(error.sentence, .failed)
    }
  }

  // MARK: Beside serving

  private func perform(
    _ call: ServiceVerbCall, _ settings: consuming Settings, _ signals: ServiceSignals
  ) async throws(StartProblem) -> ServiceVerbReport {
    guard let verb = verbs.first(where: { $0.usage.name == call.verb }) else {
      preconditionFailure("a verb was understood that there is not")
    }
    let stop = StopWish()
    // Ends with this function, which does not wait for a signal.
    async let _: Void = stop.follow(signals)
    return try await verb.run(settings.own, ServiceVerbContext(call: call, stop: stop))
  }

  // MARK: Before serving

  private struct Settings: ~Copyable {
    let own: Configuration
    let common: ServiceSettings
  }

  private func takeSignals() throws(StartProblem) -> ServiceSignals {
    do throws(ProcessStart.Failure) { try ProcessStart.harden() } catch { throw StartProblem(error.sentence) }
    do throws(SystemFailure) { return try ServiceSignals.take() } catch {
      throw StartProblem("the signals of the process cannot be taken: \(error.words).")
    }
  }

  /// Ends the process where a setting is wrong: nothing was tried, and the code says so.
  private func configuration(_ output: Output) throws(StartProblem) -> Settings {
    try prepare()
    do throws(ProcessStart.Failure) { try ProcessStart.requireLockedMemory() } catch {
      throw StartProblem(error.sentence)
    }
    do throws(SettingsProblems) {
      return try SettingsReader.build(from: .process, documented: settings) { reader in
        let common = faces.read(&reader)
        return Settings(own: read(&reader, common), common: common)
      }
    } catch {
      output.refuse(error.text, .wrongUsage)
    }
  }

  // MARK: Serving

  private func serve(
    _ settings: consuming Settings, _ signals: ServiceSignals, since started: ContinuousClock.Instant
  ) async -> (Output.ExitCode, isBusy: Bool) {
    let common = settings.common
    let log = Log(program: name, level: common.logLevel)
    let metrics = MetricRegistry(service: name)
    metrics.addProcessMetrics(
      log: log, startedAt: WallClock.system.now(), prefix: metricNames == .manaAI ? .manaAI : .plain)
    let service: RunningService
    do throws(StartProblem) {
      service = try await build(settings.own, common, ServiceContext(log: log, metrics: metrics))
    } catch {
      log.error("The service cannot start.", [.detail: .text(error.sentence)])
      return (.failed, isBusy: false)
    }
    let readiness = Readiness(service.checks, log: log, metrics: metrics)
    let ending = await ServiceRun(
      name: name, settings: common, service: service, log: log, metrics: metrics, readiness: readiness,
      metricNames: metricNames
    ).serve(signals, since: started)
    await service.finish()
    let code: Output.ExitCode = ending.wasAsked ? .ended : .failed
    log.info("Ended.", [.status: .count(Int(code.rawValue))])
    return (code, isBusy: ending.isReloading)
  }
}

/// The last words of the process, and the code it ends with.
private struct Output {
  let program: StaticString
  let isJSON: Bool

  /// What supervisors and scripts rely on.
  enum ExitCode: Int32 {
    case ended = 0
    case failed = 1
    case wrongUsage = 2
  }

  func end(_ code: ExitCode, _ text: String) throws(StartProblem) -> Never {
    do throws(SystemFailure) { try StandardStream.output.write(text) } catch {
      throw StartProblem("standard output cannot be written: \(error.words).")
    }
    StandardStream.exit(code.rawValue)
  }

  func refuse(_ sentence: String, _ code: ExitCode) -> Never {
    let json = JSONValue.object(JSONObject(members: [("error", .string(sentence))])).compactText()
    // Nobody is left who could be told; the exit code still says it.
    try? StandardStream.error.write(isJSON ? "\(json)\n" : "\(program): \(sentence)\n")
    StandardStream.exit(code.rawValue)
  }
}
