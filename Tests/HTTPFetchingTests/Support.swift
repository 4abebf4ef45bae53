// What the suites of this target share.

import Foundation
import HTTPFetching
import HTTPSupport
import Synchronization

/// Calls to servers of these tests need milliseconds, but on a busy machine a test may stand still for half a minute.
func request(
  _ server: RawServer, _ method: HTTPMethod = .get, path: String = "/", body: String? = nil,
  change: (inout HTTPRequest) throws -> Void = { _ in }
) throws -> HTTPRequest {
  var request = HTTPRequest(
    method, try HTTPURL(server.url(path)), body: body.map { HTTPBody(Array($0.utf8), contentType: "text/plain") })
  request.limits.total = .seconds(300)
  request.limits.connect = .seconds(300)
  try change(&request)
  return request
}

/// What a call came to, as one value that can be compared.
enum Outcome: Equatable {
  case answer(Int, String)
  case failure(HTTPFailure)

  static func of(_ client: HTTPClient, _ request: HTTPRequest) async -> Outcome {
    do throws(HTTPFailure) {
      let response = try await client.send(request)
      return .answer(response.status, String(decoding: response.body, as: UTF8.self))
    } catch {
      return .failure(error)
    }
  }

  /// A client of its own, so that nothing is left of it.
  static func of(_ request: HTTPRequest) async throws -> Outcome { await of(try HTTPClient(), request) }
}

/// Time that passes only when somebody sleeps.
final class FakeTime: Sendable {
  private let start = ContinuousClock.now
  private let elapsed = Mutex(Duration.zero)
  let pauses = Mutex<[Duration]>([])

  /// The jitter is all that it may be.
  var time: HTTPTime {
    HTTPTime(
      now: { self.start.advanced(by: self.elapsed.withLock { $0 }) },
      sleep: { pause in
        self.pauses.withLock { $0.append(pause) }
        self.elapsed.withLock { $0 += pause }
      }, jitter: { $0 })
  }
}

/// Where nothing is yet.
func socketPath() -> String {
  FileManager.default.temporaryDirectory.appending(path: "mandate-\(UInt64.random(in: 0 ... .max)).sock").path
}
