// `mandate-dev auth`: the stand-in for the identity service on a listener of this machine, until it is asked to end.
// Without ServiceProgram, because that one takes its settings from the environment and has a listener for operators;
// this is a command of a desk, with options like the others.

import Contracts
import Cryptography
import HTTPServing
import Secrets
import ServiceHost
import ServiceRuntime

enum AuthCommand {
  struct Wish: Sendable, Equatable {
    var host = "127.0.0.1"
    var port: UInt16 = 3001
    /// None: one is made and printed.
    var passwordFile: String?
    var origins = Self.usualOrigins
    /// Key, issuer, audience and lifetime as for `token`.
    var folder = TokenCommand.Wish.usualFolder
    var mint = TokenMint(
      issuer: TokenMint.usualIssuer, audience: TokenMint.usualAudience, lifetimeSeconds: TokenMint.usualLifetime)

    /// Where the development servers of common web tools listen.
    static let usualOrigins = [3000, 4173, 5173, 8080].flatMap {
      ["http://localhost:\($0)", "http://127.0.0.1:\($0)"]
    }
    static let mostOrigins = 16
  }

  enum Problem: Error, CustomStringConvertible {
    case cannotServe(String)
    case password(path: String, FileProblem)
    case noLockedMemory
    case passwordIsLong(path: String)

    var description: String {
      switch self {
      case .cannotServe(let words): words
      case .password(let path, let problem): "\(Printable.name(path)) \(problem.sentence)"
      case .noLockedMemory: "no memory can be locked for the password."
      case .passwordIsLong(let path):
        "\(Printable.name(path)) holds no password of 1 to \(AuthCommand.longestPassword) bytes."
      }
    }
  }

  static let longestPassword = 1_024

  // MARK: What was asked for

  static func parse(_ arguments: [String]) throws(TokenCommand.WrongUsage) -> Wish {
    let values = try TokenCommand.values(
      of: arguments, "auth", ["--listen", "--key", "--password-file", "--origins", "--ttl", "--issuer", "--audience"])
    var wish = Wish()
    if let text = values["--listen"] {
      // Anybody may log in here as anybody, so nobody but this machine may come.
      guard let address = ListenAddress(text), address.isLocal, case .tcp(let host, let port) = address else {
        throw .init(sentence: "--listen is an address of the loopback, such as 127.0.0.1:3001 or [::1]:3001")
      }
      (wish.host, wish.port) = (host, UInt16(port))
    }
    if let text = values["--origins"] { wish.origins = try origins(text) }
    wish.passwordFile = values["--password-file"]
    wish.folder = values["--key"] ?? wish.folder
    wish.mint = TokenMint(
      issuer: values["--issuer"] ?? wish.mint.issuer, audience: values["--audience"] ?? wish.mint.audience,
      lifetimeSeconds: try TokenCommand.lifetime(values["--ttl"]))
    return wish
  }

  private static func origins(_ text: String) throws(TokenCommand.WrongUsage) -> [String] {
    let list = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard list.count <= Wish.mostOrigins, list.allSatisfy(isLocal), (try? CORSPolicy(origins: list)) != nil else {
      throw .init(
        sentence: "--origins is a list of at most \(Wish.mostOrigins) local origins, such as http://localhost:5173")
    }
    return list
  }

  /// A page of this machine: `http://localhost`, a name below it, or an address of the loopback, with any port.
  private static func isLocal(_ origin: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: origin.hasPrefix) else { return false }
    var host = origin.dropFirst(scheme.count)
    if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
      guard UInt16(host[host.index(after: colon)...]) != nil else { return false }
      host = host[..<colon]
    }
    if host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" { return true }
    // Four numbers, or `127.0.0.1.example.org` would be one.
    return ListenAddress("\(host):0")?.isLocal == true
  }

  // MARK: Serving

  /// True when it ended because it was asked to.
  static func run(_ wish: Wish) async throws -> Bool {
    let signals = try ServiceSignals.take()
    try ProcessStart.requireLockedMemory()
    let password = try password(wish.passwordFile)
    let shown = password.shown
    let desk = AuthDesk(
      try AuthStandIn(
        key: TokenCommand.key(in: wish.folder), mint: wish.mint, password: password.secret, clock: .system,
        opaque: { try opaque() }), folder: wish.folder)
    let server = try server(wish, desk)
    try StandardStream.output.write(greeting(wish, server, shown))
    return await serve(server, signals, desk)
  }

  private static func server(_ wish: Wish, _ desk: AuthDesk) throws -> HTTPServer {
    var listener = HTTPListener(.publicSide, .tcp(host: wish.host, port: wish.port), routes: desk.routes)
    listener.cors = try CORSPolicy(origins: wish.origins)
    do throws(HTTPServingError) {
      return try HTTPServer([listener])
    } catch {
      throw Problem.cannotServe(error.words)
    }
  }

  private static func serve(_ server: HTTPServer, _ signals: ServiceSignals, _ desk: AuthDesk) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        do throws(HTTPServingError) { try await server.run() } catch { Development.complain(error.words) }
        return false
      }
      group.addTask {
        for await request in signals.requests {
          if request == .stop { break }
          desk.reload()
        }
        return true
      }
      let wasAsked = await group.next() ?? false
      await server.drain()
      group.cancelAll()
      for await _ in group {}
      return wasAsked
    }
  }

  private static func greeting(_ wish: Wish, _ server: HTTPServer, _ password: String?) -> String {
    var address = ""
    if case .tcp(let host, let port)? = server.addresses.first {
      address = host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }
    return """
      Everything here is thrown away: whoever knows the password can be anybody.
      address   \(address)
      keys      \(address)/api/v1/auth/jwks
      issuer    \(Printable.value(wish.mint.issuer))
      audience  \(Printable.value(wish.mint.audience))
      password  \(password ?? "as in the file")

      """
  }

  // MARK: The password

  private struct Password: ~Copyable {
    let secret: SecretBytes
    /// Only of one that was made here and lives as long as this process.
    let shown: String?
  }

  private static func password(_ file: String?) throws -> Password {
    guard let file else {
      let text = try opaque()
      let bytes = Array(text.utf8)
      return Password(secret: try SecretBytes(copying: bytes.span), shown: text)
    }
    let secret: SecretBytes
    do throws(FileProblem) { secret = try SecretFile.read(file) } catch { throw Problem.password(path: file, error) }
    let password: SecretBytes
    do throws(SecretError) { password = try secret.droppingTrailingNewline() } catch { throw Problem.noLockedMemory }
    guard (1...longestPassword).contains(password.count) else { throw Problem.passwordIsLong(path: file) }
    return Password(secret: password, shown: nil)
  }

  /// 144 random bits in 24 characters.
  private static func opaque() throws(CryptographyError) -> String {
    let bytes = try SecureRandom.bytes(18)
    return Base64URL.encode(bytes.span)
  }
}
