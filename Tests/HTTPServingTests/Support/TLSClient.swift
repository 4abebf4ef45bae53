// A TLS client over a raw socket, which may show a certificate or none, and may be as old as it likes.

import COpenSSL
import Foundation

@safe
final class TLSClient: @unchecked Sendable {
  struct HandshakeFailed: Error {}

  private let socket: RawSocket
  private let context: OpaquePointer
  private let connection: OpaquePointer

  init(
    _ socket: RawSocket, authority: String, certificate: String? = nil, key: String? = nil,
    newest: Int32 = TLS1_3_VERSION
  ) throws {
    self.socket = socket
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw HandshakeFailed() }
    unsafe self.context = context
    unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
    unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_VERSION), nil)
    unsafe SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0")
    unsafe SSL_CTX_load_verify_file(context, authority)
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    if let certificate, let key {
      unsafe SSL_CTX_use_certificate_chain_file(context, certificate)
      unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM)
    }
    guard let connection = unsafe SSL_new(context) else { throw HandshakeFailed() }
    unsafe self.connection = connection
    unsafe SSL_set_fd(connection, socket.descriptor)
    guard unsafe SSL_connect(connection) == 1 else { throw HandshakeFailed() }
  }

  deinit {
    unsafe SSL_free(connection)
    unsafe SSL_CTX_free(context)
  }

  /// The common name of the server's certificate, as OpenSSL prints the subject.
  var serverName: String {
    guard let certificate = unsafe SSL_get1_peer_certificate(connection) else { return "" }
    defer { unsafe X509_free(certificate) }
    var text = [CChar](repeating: 0, count: 256)
    unsafe X509_NAME_oneline(X509_get_subject_name(certificate), &text, 256)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Everything that comes until a reply is whole; nil when the server ended it instead.
  func get(_ path: String) -> String? {
    let request = Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    guard unsafe SSL_write(connection, request, Int32(request.count)) > 0 else { return nil }
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe SSL_read(connection, &chunk, Int32(chunk.count))
      guard count > 0 else { return nil }
      received += chunk.prefix(Int(count))
      let text = String(decoding: received, as: UTF8.self)
      guard let head = text.range(of: "\r\n\r\n") else { continue }
      guard let length = text.range(of: "Content-Length: ") else { return text }
      let digits = text[length.upperBound...].prefix { $0.isNumber }
      if text[head.upperBound...].utf8.count >= Int(digits) ?? 0 { return text }
    }
  }
}
