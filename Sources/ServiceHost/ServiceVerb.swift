// What a service's executable can do beside serving: how it is used, what it does, and what it gets for that. It starts
// as the service does (hardened, the same settings, locked memory), listens to nobody, and ends.

package import Contracts
package import ServiceRuntime
import Synchronization

package struct ServiceVerb<Configuration: ~Copyable>: Sendable {
  let usage: ServiceVerbUsage
  let run: Body

  package typealias Body =
    @Sendable (consuming Configuration, ServiceVerbContext) async throws(StartProblem) -> ServiceVerbReport

  /// `run` throws what kept it from its work, and reports what came of the work.
  package init(_ usage: ServiceVerbUsage, run: @escaping Body) { (self.usage, self.run) = (usage, run) }
}

package struct ServiceVerbContext: Sendable {
  package let call: ServiceVerbCall
  package let stop: StopWish
}

/// What a verb has to say, in both forms.
package struct ServiceVerbReport: Sendable {
  package let text: String
  package let json: JSONValue
  /// False when not all of it was done.
  package let isDone: Bool

  package init(text: String, json: JSONValue, isDone: Bool) {
    (self.text, self.json, self.isDone) = (text, json, isDone)
  }
}

/// Whether somebody wants the work to end. A second wish ends the process at once (see ServiceSignals).
package final class StopWish: Sendable {
  private let asked = Atomic(false)

  package init() {}

  package var isAsked: Bool { asked.load(ordering: .relaxed) }
  package func ask() { asked.store(true, ordering: .relaxed) }

  /// Until it is cancelled. There is nothing to read again, so SIGHUP changes nothing.
  func follow(_ signals: ServiceSignals) async {
    for await request in signals.requests where request == .stop {
      ask()
      Progress.tell("Asked to stop; ending after what is in hand.")
    }
  }
}
