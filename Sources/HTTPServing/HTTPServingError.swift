// Why a server could not start, or could not take over new certificates. For the operator, at the start; a client
// never sees one of these.

package enum HTTPServingError: Error, Equatable {
  /// The settings contradict each other; the words say how.
  case configuration(String)
  case notAnAddress(String)
  case cannotListen(address: String, errno: Int32)
  /// Somebody serves on this Unix socket.
  case socketInUse(path: String)
  /// Something that is not a socket lies at the path; it is not ours to remove.
  case notASocket(path: String)
  case cannotReadCertificate(path: String)
  case cannotReadPrivateKey(path: String)
  case keyDoesNotFitCertificate
  case cannotReadClientAuthority(path: String)
  /// No descriptor, no memory or no thread is left.
  case outOfResources
  case alreadyRun
}
