// What a proven token claims, held against what is configured and against the clock.

import Contracts
import ServiceRuntime

extension ProvenToken {
  func principal(_ configuration: IdentityConfiguration, now: Moment) throws(TokenRefusal) -> Principal {
    guard let issuer = claims["iss"]?.text, Self.contains(configuration.issuers, issuer) else { throw .wrongIssuer }
    guard namesAudience(of: configuration) else { throw .wrongAudience }
    guard let subject = claims["sub"]?.text else { throw .unusableSubject }
    let user: Identifier
    do {
      user = try Identifier(checking: subject)
    } catch {
      throw .unusableSubject
    }
    return Principal(user: user, expires: try checkTimes(configuration, now))
  }

  private func checkTimes(_ configuration: IdentityConfiguration, _ now: Moment) throws(TokenRefusal) -> Moment {
    guard let expires = try time("exp") else { throw .unusableTime }
    let begins = [try time("nbf"), try time("iat")]
    guard now < expires else { throw .expired }
    let latest = Moment(microseconds: now.microseconds + Int64(configuration.leewaySeconds) * 1_000_000)
    for begin in begins.compactMap({ $0 }) where latest < begin { throw .notYetValid }
    return expires
  }

  private func namesAudience(of configuration: IdentityConfiguration) -> Bool {
    switch claims["aud"] {
    case .string(let audience): Self.contains(configuration.audiences, audience.text)
    case .array(let list):
      // A list with anything but texts in it is not read half.
      list.count <= IdentityConfiguration.mostAudiences
        && JSONValue.array(list).texts?.contains { Self.contains(configuration.audiences, $0) } == true
    default: false
    }
  }

  /// Whole seconds of the years 1970 to 9999, written as digits. A text, a fraction or an exponent is not what any
  /// signer of ours writes, and readers disagree about it.
  private func time(_ name: String) throws(TokenRefusal) -> Moment? {
    guard let value = claims[name] else { return nil }
    guard case .number(let number) = value, let seconds = Int64(number.text), (0...253_402_300_799).contains(seconds)
    else { throw .unusableTime }
    return Moment(microseconds: seconds * 1_000_000)
  }

  /// By bytes: Swift's `==` on String takes canonical equivalents for the same.
  private static func contains(_ list: [String], _ text: String) -> Bool {
    list.contains { $0.utf8.elementsEqual(text.utf8) }
  }
}
