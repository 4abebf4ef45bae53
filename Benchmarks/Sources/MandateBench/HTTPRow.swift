// Row `http`: requests per second with a handler that really suspends, against a bare evhttp loop in C that answers on
// the spot. Both serve on a thread of this process, one at a time, and the same C thread asks.

import CYardsticks
import HTTPServing
import Synchronization

enum HTTPRow {
  private static let connections: Int32 = 64

  static let row = Row(name: "http", unit: "requests/s", mark: 0.6) {
    let ports = try Ports.shared.get()
    let ours = yardstick_http_load(ports.ours, connections, 0.5)
    let yardstick = yardstick_http_load(ports.yardstick, connections, 0.5)
    guard ours > 0 else { throw YardstickProblem(why: "our server did not answer as it should") }
    guard yardstick > 0 else { throw YardstickProblem(why: "the evhttp loop did not answer as it should") }
    return Row.Pair(ours: ours, yardstick: yardstick)
  }

  private struct Ports {
    let ours: Int32
    let yardstick: Int32

    /// Started with the first round; both run until the process ends.
    static let shared: Result<Ports, any Error> = Result { try Ports() }

    init() throws {
      var routes = HTTPRoutes()
      let answer = Array("{\"answer\":42}\n".utf8)
      routes.get("/answer") { _ in
        await Task.yield()
        return .json(answer)
      }
      let server = try HTTPServer([HTTPListener(.internalSide, .tcp(host: "127.0.0.1", port: 0), routes: routes)])
      guard case .tcp(_, let port) = server.addresses.first else {
        throw YardstickProblem(why: "our server has no port")
      }
      Task.detached { try await server.run() }
      ours = Int32(port)
      yardstick = yardstick_http_serve()
      guard yardstick > 0 else { throw YardstickProblem(why: "the evhttp loop did not start") }
    }
  }
}
