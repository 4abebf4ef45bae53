// The owner of an SSL_CTX: certificate, key, client authority, TLS 1.2 and later. Connections hold on to the context
// they began with, so a new one can take its place at any time.

import COpenSSL

/// `@safe`, `@unchecked Sendable`: the context is complete before anybody else sees it, OpenSSL counts its users, and
/// `deinit` is the only place that gives ours up.
@safe
final class TLSContext: @unchecked Sendable {
  private let context: OpaquePointer

  init(_ settings: TLSSettings) throws(HTTPServingError) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .outOfResources }
    do throws(HTTPServingError) {
      try unsafe Self.prepare(context, settings)
    } catch {
      unsafe SSL_CTX_free(context)
      throw error
    }
    unsafe self.context = context
  }

  deinit { unsafe SSL_CTX_free(context) }

  /// A connection's own state, on the server's side.
  func newConnection() -> OpaquePointer? { unsafe SSL_new(context) }

  private static func prepare(_ context: OpaquePointer, _ settings: TLSSettings) throws(HTTPServingError) {
    // Resumption would carry an old verdict about a client's certificate past a reload. What was decrypted is wiped as
    // soon as libevent has read it.
    unsafe SSL_CTX_set_options(context, mandate_server_options)
    guard unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1 else {
      throw .outOfResources
    }
    unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    guard unsafe SSL_CTX_use_certificate_chain_file(context, settings.certificateFile) == 1 else {
      throw .cannotReadCertificate(path: settings.certificateFile)
    }
    guard unsafe SSL_CTX_use_PrivateKey_file(context, settings.keyFile, SSL_FILETYPE_PEM) == 1 else {
      // OpenSSL compares the two as it reads the second; only a key that can be read can be the wrong one.
      throw lastErrorIsMismatch() ? .keyDoesNotFitCertificate : .cannotReadPrivateKey(path: settings.keyFile)
    }
    guard unsafe SSL_CTX_check_private_key(context) == 1 else { throw .keyDoesNotFitCertificate }
    guard let authority = settings.clientAuthorityFile else { return }
    guard unsafe SSL_CTX_load_verify_file(context, authority) == 1,
      let names = unsafe SSL_load_client_CA_file(authority)
    else { throw .cannotReadClientAuthority(path: authority) }
    unsafe SSL_CTX_set_client_CA_list(context, names)
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
  }

  private static func lastErrorIsMismatch() -> Bool {
    let error = ERR_peek_last_error()
    return (error & 0x7F_FFFF) == UInt(X509_R_KEY_VALUES_MISMATCH)
  }
}

enum TLSPeer {
  static func isHandshakeDone(_ connection: OpaquePointer) -> Bool {
    unsafe SSL_get_state(connection) == TLS_ST_OK
  }

  /// The subject of the certificate that the handshake verified, or nil.
  static func subject(_ connection: OpaquePointer) -> String? {
    guard unsafe SSL_get_verify_result(connection) == Int(X509_V_OK),
      let certificate = unsafe SSL_get1_peer_certificate(connection)
    else { return nil }
    defer { unsafe X509_free(certificate) }
    guard let text = unsafe BIO_new(BIO_s_mem()) else { return nil }
    defer { unsafe BIO_free(text) }
    let name = unsafe X509_get_subject_name(certificate)
    guard unsafe X509_NAME_print_ex(text, name, 0, mandate_name_as_rfc2253) >= 0 else { return nil }
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe mandate_bio_bytes(text, &start)
    guard let start = unsafe start, count > 0 else { return nil }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Says goodbye, as far as the socket takes it.
  static func close(_ connection: OpaquePointer) {
    ERR_clear_error()
    _ = unsafe SSL_shutdown(connection)
    ERR_clear_error()
  }
}
