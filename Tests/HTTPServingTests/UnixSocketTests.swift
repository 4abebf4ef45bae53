// The path of a Unix socket: its mode, a stale one that is cleared, and what is never removed.

import Foundation
import HTTPServing
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Unix sockets", .timeLimit(.minutes(1)))
struct UnixSocketTests {
  private func listener(_ path: String, _ access: HTTPListener.SocketAccess = .owner) -> HTTPListener {
    TestServer.listener(.internalSide, at: .unix(path: path, access: access))
  }

  @Test("The socket has the mode that was asked for, answers, and is gone afterwards")
  func mode() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("s.sock")
    for (access, mode) in [(HTTPListener.SocketAccess.owner, 0o600), (.group, 0o660)] {
      try await TestServer.blocking(listener(path, access)) { test in
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == mode)
        #expect(attributes[.type] as? FileAttributeType == .typeSocket)
        #expect(try test.connect().get("/ok").body == "ok")
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("A second server does not take a live one's socket, and the first goes on")
  func live() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("s.sock")
    try await TestServer.blocking(listener(path)) { test in
      #expect(throws: HTTPServingError.socketInUse(path: path)) { try HTTPServer([listener(path)]) }
      let reply = try test.connect().get("/ok")
      #expect(reply.body == "ok")
    }
  }

  @Test("A live socket of somebody who knows nothing of our lock is not taken either")
  func foreign() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("s.sock")
    let foreign = try Self.bound(path)
    #expect(listen(foreign, 1) == 0)
    #expect(throws: HTTPServingError.socketInUse(path: path)) { try HTTPServer([listener(path)]) }
    #expect(FileManager.default.fileExists(atPath: path))
    close(foreign)
  }

  @Test("The socket of a server that died is cleared away")
  func stale() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("s.sock")
    close(try Self.bound(path))
    #expect(FileManager.default.fileExists(atPath: path))
    try await TestServer.blocking(listener(path)) { test in
      let reply = try test.connect().get("/ok")
      #expect(reply.body == "ok")
    }
  }

  @Test("A file, a folder and a link at the path stay where they are")
  func notASocket() throws {
    let folder = try TemporaryFolder()
    let (file, inner, link) = (folder.path("f"), folder.path("d"), folder.path("l"))
    try "precious".write(toFile: file, atomically: true, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path("nowhere"))
    for path in [file, inner, link] {
      #expect(throws: HTTPServingError.notASocket(path: path)) { try HTTPServer([listener(path)]) }
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == folder.path("nowhere"))
  }

  @Test(
    "A path that does not fit, a name that is no address and limits that contradict each other are refused at the start"
  )
  func configuration() throws {
    let long = "/" + String(repeating: "x", count: 108)
    #expect(throws: HTTPServingError.self) { try HTTPServer([listener(long)]) }
    let named = TestServer.listener(at: .tcp(host: "localhost", port: 0))
    #expect(throws: HTTPServingError.notAnAddress("localhost")) { try HTTPServer([named]) }
    var limits = HTTPLimits()
    limits.headTime = .zero
    #expect(throws: HTTPServingError.self) { try HTTPServer([TestServer.listener(limits: limits)]) }
    var routes = HTTPRoutes()
    routes.post("/a", bodyLimit: 1 << 30) { _ in .empty() }
    #expect(throws: HTTPServingError.self) { try HTTPServer([TestServer.listener(routes: routes)]) }
  }

  private static func bound(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_un()
    place.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &place.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    let answer = unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard answer == 0 else { throw SocketProblem.cannotConnect(errno) }
    return descriptor
  }
}
