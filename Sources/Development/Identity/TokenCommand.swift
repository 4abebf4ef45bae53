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
  static func parse(_ arguments: [String]) throws(WrongUsage) -> Wish {
    var values: [String: String] = [:]
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard ["--user", "--key", "--ttl", "--issuer", "--audience"].contains(name) else {
        throw WrongUsage(sentence: "token has no option \(Printable.name(name))")
      }
      guard let value = rest.popFirst(), !value.isEmpty else { throw WrongUsage(sentence: "\(name) needs a value") }
      guard values.updateValue(value, forKey: name) == nil else { throw WrongUsage(sentence: "\(name) stands twice") }
    }
    guard let id = values["--user"] else { throw WrongUsage(sentence: "token needs --user ID") }
    var wish: Wish
    do {
      wish = Wish(user: try Identifier(checking: id))
    } catch {
      throw WrongUsage(sentence: "--user is an id of 1 to 256 bytes without control characters")
    }
    if let text = values["--ttl"] {
      guard let seconds = Int64(text), (1...TokenMint.longestLifetime).contains(seconds) else {
        throw WrongUsage(sentence: "--ttl is a number of seconds from 1 to \(TokenMint.longestLifetime), one day")
      }
      wish.lifetimeSeconds = seconds
    }
    wish.folder = values["--key"] ?? wish.folder
    wish.issuer = values["--issuer"] ?? wish.issuer
    wish.audience = values["--audience"] ?? wish.audience
    return wish
  }

  static func run(_ wish: Wish, now: Instant) throws(SigningKey.Problem) -> String {
    if wish.folder == Wish.usualFolder {
      do {
        _ = try Folder.make(Wish.usualHome)
      } catch {
        throw .file(path: Wish.usualHome, error)
      }
    }
    let key = try SigningKey(in: wish.folder)
    let mint = TokenMint(issuer: wish.issuer, audience: wish.audience, lifetimeSeconds: wish.lifetimeSeconds)
    return try mint.token(for: wish.user, by: key, now: now)
  }
}
