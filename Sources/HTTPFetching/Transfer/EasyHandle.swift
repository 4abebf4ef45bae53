// One libcurl handle: the options every transfer of this door has, and the only place where a handle is freed.

import CCurl
import Secrets

/// `@safe`: the pointers are this owner's alone until `deinit`. Not Sendable; its transfer hands it from the thread
/// that made it to the engine's, once.
@safe
final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private var lines: UnsafeMutablePointer<curl_slist>?
  /// The first option that libcurl did not take.
  private var refused = false
  private var isOpen = true

  init() throws(HTTPFailure) {
    Libcurl.start()
    guard let made = unsafe curl_easy_init() else { throw .broken("libcurl has no memory for a transfer") }
    unsafe pointer = made
    unsafe lines = nil
  }

  deinit { close() }

  /// Gives everything back, so that nothing of a call is left when it returns. The handle is not used afterwards.
  func close() {
    guard isOpen else { return }
    isOpen = false
    unsafe curl_easy_cleanup(pointer)
    unsafe curl_slist_free_all(lines)
    unsafe lines = nil
  }

  // MARK: Options

  private func check(_ code: CURLcode) { if code != CURLE_OK { refused = true } }

  func set(_ option: CURLoption, _ value: Int) { check(unsafe mandate_curl_set_number(pointer, option, value)) }
  func setSize(_ option: CURLoption, _ value: Int) {
    check(unsafe mandate_curl_set_size(pointer, option, curl_off_t(value)))
  }
  /// libcurl copies the text; nil restores the option's empty state.
  func set(_ option: CURLoption, _ value: String?) {
    if let value {
      check(unsafe mandate_curl_set_text(pointer, option, value))
    } else {
      check(unsafe mandate_curl_set_text(pointer, option, nil))
    }
  }
  func set(_ option: CURLoption, pointer value: UnsafeRawPointer?) {
    check(unsafe mandate_curl_set_pointer(pointer, option, value))
  }
  func set(_ option: CURLoption, receiver: mandate_curl_receiver) {
    check(unsafe mandate_curl_set_receiver(pointer, option, receiver))
  }
  func set(_ option: CURLoption, gate: mandate_curl_gate) {
    check(unsafe mandate_curl_set_gate(pointer, option, gate))
  }

  func addLine(_ line: String) { unsafe keep(curl_slist_append(lines, line)) }

  func addLine(_ line: borrowing SecretBytes) {
    let bytes = line.bytes
    unsafe bytes.withUnsafeBufferPointer { bytes in
      // A NUL stands at the end of every credential's line.
      guard let start = bytes.baseAddress else { return }
      unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
        unsafe keep(curl_slist_append(lines, start))
      }
    }
  }

  private func keep(_ longer: UnsafeMutablePointer<curl_slist>?) {
    if let longer = unsafe longer {
      unsafe lines = longer
    } else {
      refused = true
    }
  }

  /// Hands over the header lines, and fails if anything before was not taken.
  func seal() throws(HTTPFailure) {
    check(unsafe mandate_curl_set_list(pointer, CURLOPT_HTTPHEADER, lines))
    guard !refused else { throw .broken("libcurl does not take an option that this door depends on") }
  }

  // MARK: What is known afterwards

  func size(_ info: CURLINFO) -> Int {
    var value: curl_off_t = 0
    guard unsafe mandate_curl_get_size(pointer, info, &value) == CURLE_OK else { return 0 }
    return Int(value)
  }

  func text(_ info: CURLINFO) -> String? {
    var value: UnsafeMutablePointer<CChar>?
    guard unsafe mandate_curl_get_text(pointer, info, &value) == CURLE_OK, let start = unsafe value else { return nil }
    return unsafe String(cString: start)
  }
}

/// libcurl itself, made ready once. A process that holds keys has called `Cryptography.prepare()` before, for OpenSSL
/// can be made to wipe what it frees only before anybody uses it.
enum Libcurl {
  private static let isReady = mandate_curl_start() == CURLE_OK

  static func start() { precondition(isReady, "libcurl could not be initialised") }
}
