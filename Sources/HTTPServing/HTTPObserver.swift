// What happens at the door, for logs and metrics. Every label comes from a closed set: listener names, route patterns,
// refusals. The door itself logs nothing.

package struct HTTPObserver: Sendable {
  package enum Event: Sendable {
    case opened(ListenerName)
    case closed(ListenerName)
    /// Before any handler saw it.
    case refused(ListenerName, Refusal)
    case finished(RequestRecord)
  }

  package struct RequestRecord: Sendable {
    package let listener: ListenerName
    /// The pattern of the route, never the path.
    package let route: String
    package let method: HTTPMethod
    package let status: Int
    /// From the whole request to the last byte of the answer in the kernel's hands, or to the connection's end.
    package let duration: Duration
    package let id: String
    package let traceParent: TraceParent?
    package let client: IPAddress?
    package let outcome: Outcome
  }

  package enum Outcome: String, Sendable, CaseIterable {
    case sent
    /// The client went away, or read too slowly, before it had the answer.
    case lost
    /// The handler did not answer within its time.
    case overdue
  }

  /// Called on the thread that serves all connections, so it must hand the event on and return.
  let notify: @Sendable (Event) -> Void

  package init(_ notify: @escaping @Sendable (Event) -> Void) { self.notify = notify }

  package static let silent = HTTPObserver { _ in }
}
