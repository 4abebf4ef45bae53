// `mandate-dev token`: one line on standard output, so that a shell can put it behind `Bearer `.

import Contracts
import ServiceRuntime

enum TokenCommand {
  struct Wish: Sendable, Equatable {
    var user: Identifier
    var folder = Self.usualFolder
    var lifetimeSeconds = TokenMint.usualLifetime
    var issuer = TokenMint.usualIssuer
    var audience = TokenMint.usualAudience

    /// Beside the private cluster of this desk, where git does not look.
    static let usualHome = ".mandate"
    static let usualFolder = usualHome + "/dev"
  }

  struct WrongUsage: Error, Equatable {
    let sentence: String
  }

  /// `--name value` pairs, each name at most once.
  static func values(
    of arguments: [String], _ command: String, _ names: Set<String>
  ) throws(WrongUsage) -> [String: String] {
    var values: [String: String] = [:]
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard names.contains(name) else {
        throw WrongUsage(sentence: "\(command) has no option \(Printable.name(name))")
      }
      guard let value = rest.popFirst(), !value.isEmpty else { throw WrongUsage(sentence: "\(name) needs a value") }
      guard values.updateValue(value, forKey: name) == nil else { throw WrongUsage(sentence: "\(name) stands twice") }
    }
    return values
  }

  static func lifetime(_ text: String?) throws(WrongUsage) -> Int64 {
    guard let text else { return TokenMint.usualLifetime }
    guard let seconds = Int64(text), (1...TokenMint.longestLifetime).contains(seconds) else {
      throw WrongUsage(sentence: "--ttl is a number of seconds from 1 to \(TokenMint.longestLifetime), one day")
    }
    return seconds
  }

  static func parse(_ arguments: [String]) throws(WrongUsage) -> Wish {
    let values = try values(of: arguments, "token", ["--user", "--key", "--ttl", "--issuer", "--audience"])
    guard let id = values["--user"] else { throw WrongUsage(sentence: "token needs --user ID") }
    var wish: Wish
    do {
      wish = Wish(user: try Identifier(checking: id))
    } catch {
      throw WrongUsage(sentence: "--user is an id of 1 to 256 bytes without control characters")
    }
    wish.lifetimeSeconds = try lifetime(values["--ttl"])
    wish.folder = values["--key"] ?? wish.folder
    wish.issuer = values["--issuer"] ?? wish.issuer
    wish.audience = values["--audience"] ?? wish.audience
    return wish
  }

  /// The usual folder is made with the one it stands in.
  static func key(in folder: String) throws(SigningKey.Problem) -> SigningKey {
    if folder == Wish.usualFolder {
      do {
        _ = try Folder.make(Wish.usualHome)
      } catch {
        throw .file(path: Wish.usualHome, error)
      }
    }
    return try SigningKey(in: folder)
  }

  static func run(_ wish: Wish, now: Instant) throws(SigningKey.Problem) -> String {
    let key = try key(in: wish.folder)
    let mint = TokenMint(issuer: wish.issuer, audience: wish.audience, lifetimeSeconds: wish.lifetimeSeconds)
    return try mint.token(for: wish.user, by: key, now: now)
  }
}
