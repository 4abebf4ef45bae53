// Why a service cannot listen, for its operator: what is wrong and what to do. Paths are shown as any setting's value
// is: a key that was pasted where its path belongs must not end on a screen.

package import HTTPServing
import ServiceRuntime

extension HTTPServingError {
  package var words: String {
    switch self {
    case .configuration(let words): "the limits of a listener contradict each other: \(words)."
    case .notAnAddress(let text): "\(Printable.name(text)) is no address."
    case .cannotListen(let address, let code):
      "cannot listen on \(Printable.name(address)): \(SystemFailure(code: code).words); choose another address or free this one."
    case .socketInUse(let path):
      "somebody serves on \(Printable.name(path)) already; stop that process or choose another path."
    case .notASocket(let path): "\(Printable.name(path)) is not a socket; move it away or choose another path."
    case .cannotReadCertificate(let path): "\(Printable.name(path)) is no certificate in PEM that this user may read."
    case .cannotReadPrivateKey(let path):
      "\(Printable.name(path)) is no private key in PEM, without passphrase, that this user may read."
    case .keyDoesNotFitCertificate: "the private key of a listener does not belong to its certificate."
    case .cannotReadClientAuthority(let path):
      "\(Printable.name(path)) holds no certificates in PEM that this user may read."
    case .outOfResources: "no descriptor, memory or thread is left."
    case .alreadyRun: "the server was run before."
    }
  }
}
