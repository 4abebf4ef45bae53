// A whole service to copy from. Users wait at `GET /api/v1/next` for what other services say at `POST /internal/tell`;
// everything else (listeners, limits, health, readiness, metrics, logs, drain, --help) comes with ServiceProgram.

import Glibc
import HTTPServing
import Secrets
import ServiceHost
import ServiceRuntime

@main
struct Example {
  private static let file = Setting<String>.path(.exampleFile, .required, reason: "Ready only while it can be read.")

  nonisolated static func main() async {
    await ServiceProgram(
      name: "mandate-example", purpose: "Passes on to waiting users what another service says.",
      faces: ServiceFaces(users: "127.0.0.1:3101", services: "127.0.0.1:3102"), settings: [file.documentation],
      read: { reader, _ in reader.read(file) }, build: build
    ).main()
  }

  private static func build(_ path: String, _ settings: ServiceSettings, _ context: ServiceContext) -> RunningService {
    let board = Board()
    let told = context.metrics.counter("mandate_example_told_total", "Messages that were passed on.")
    var service = RunningService(checks: [ReadinessCheck(.keys, every: .milliseconds(100)) { look(path) }])
    var routes = HTTPRoutes()
    routes.get("/api/v1/next") { _ in .text(await board.next() ?? "") }
    service.publicRoutes = routes
    service.internalRoutes.guarded(by: settings.callers) { routes in
      routes.post("/internal/tell", bodyLimit: 1_024) { request in
        await board.tell(String(decoding: request.bytes.indices.map { request.bytes[$0] }, as: UTF8.self))
        told.add()
        return .empty()
      }
    }
    service.reload = {
      if isStuck(path) { wait(context.log) }
      return look(path) == .kept ? [] : [StartProblem("\(path) cannot be read.")]
    }
    return service
  }

  /// What a disk that hangs does to whoever reads it; only tests want this of a service.
  private static func wait(_ log: Log) -> Never {
    log.info("Reading for ever.")
    while true { pause() }
  }

  private static func isStuck(_ path: String) -> Bool {
    guard let file = try? PublicFile.read(path) else { return false }
    return file.count == 5
  }

  private static func look(_ path: String) -> ReadinessCheck.Finding {
    (try? PublicFile.read(path)) == nil ? .broken("the file cannot be read") : .kept
  }
}
