// One thread on which libcurl lives: it alone touches the multi handle, with one exception, the call that wakes it.
// Tasks leave commands and suspend; the thread does them, drives all transfers, and resumes the tasks.

import CCurl
import Glibc
import Synchronization
import Threads

/// `@safe`, `@unchecked Sendable`: `multi` is used on the thread only, and by `curl_multi_wakeup`, which is made for
/// other threads and is called only while `mailbox` is open.
@safe
final class Engine: @unchecked Sendable {
  private enum Command {
    case start(Transfer)
    case cancel(Transfer)
    case unpause(Transfer)
    case close
  }

  private struct Mailbox {
    var commands: [Command] = []
    var isOpen = true
  }

  private let multi: UnsafeMutableRawPointer
  private let mailbox = Mutex(Mailbox())
  /// On the thread only: the transfers that libcurl has, by their handle.
  private var running: [UnsafeMutableRawPointer: Transfer]

  init(_ configuration: HTTPConfiguration) throws(HTTPFailure) {
    Libcurl.start()
    guard let made = unsafe curl_multi_init() else { throw .broken("libcurl has no memory for its engine") }
    unsafe multi = made
    unsafe running = [:]
    for (option, value) in [
      (CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.mostConnections),
      (CURLMOPT_MAX_HOST_CONNECTIONS, configuration.mostConnectionsPerHost),
      (CURLMOPT_MAXCONNECTS, configuration.mostIdleConnections),
    ] {
      guard unsafe mandate_curl_set_multi(multi, option, value) == CURLM_OK else {
        unsafe curl_multi_cleanup(multi)
        throw .broken("libcurl does not take a limit of connections")
      }
    }
    guard OwnThread.start({ self.run() }) else {
      unsafe curl_multi_cleanup(multi)
      throw .broken("no thread is left for the engine")
    }
  }

  // MARK: From any task

  /// Returns when the transfer has ended, however it did.
  func run(_ transfer: Transfer, outlivesCaller: Bool = false) async {
    await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { continuation in
        unsafe transfer.willResume(continuation)
        start(transfer)
      }
    } onCancel: {
      if !outlivesCaller { cancel(transfer) }
    }
  }

  /// Returns at once; the transfer's stream tells how it goes.
  func start(_ transfer: Transfer) {
    if !leave(.start(transfer)) { transfer.end(with: .closed) }
  }

  func cancel(_ transfer: Transfer) { leave(.cancel(transfer)) }
  func unpause(_ transfer: Transfer) { leave(.unpause(transfer)) }
  func close() { leave(.close) }

  @discardableResult
  private func leave(_ command: Command) -> Bool {
    mailbox.withLock { mailbox in
      guard mailbox.isOpen else { return false }
      mailbox.commands.append(command)
      // Remembered by libcurl if the thread does not sleep just now. It cannot fail but for a full pipe, and then the
      // thread is about to wake.
      unsafe curl_multi_wakeup(multi)
      return true
    }
  }

  // MARK: The thread

  private func run() {
    /// Cancelled before they were started: the two come from different threads.
    var cancelledEarly: Set<ObjectIdentifier> = []
    while true {
      var commands = mailbox.withLock({ take(&$0.commands) })[...]
      while let command = commands.popFirst() {
        switch command {
        case .start(let transfer):
          if cancelledEarly.remove(ObjectIdentifier(transfer)) != nil {
            transfer.end(with: .cancelled)
          } else {
            begin(transfer)
          }
        case .cancel(let transfer):
          if unsafe running[transfer.handle.pointer] === transfer {
            finish(transfer, with: .cancelled)
          } else if !transfer.hasEnded {
            cancelledEarly.insert(ObjectIdentifier(transfer))
          }
        case .unpause(let transfer):
          if unsafe running[transfer.handle.pointer] === transfer {
            unsafe curl_easy_pause(transfer.handle.pointer, CURLPAUSE_CONT)
          }
        case .close: return shutDown(leaving: commands)
        }
      }
      drive()
      // A minute: nothing depends on it, every time-out of libcurl shortens the wait.
      guard unsafe curl_multi_poll(multi, nil, 0, 60_000, nil) == CURLM_OK else { return shutDown(leaving: []) }
    }
  }

  private func take(_ commands: inout [Command]) -> [Command] {
    let taken = commands
    commands = []
    return taken
  }

  private func begin(_ transfer: Transfer) {
    guard unsafe curl_multi_add_handle(multi, transfer.handle.pointer) == CURLM_OK else {
      return transfer.end(with: .broken("libcurl does not take a transfer"))
    }
    unsafe running[transfer.handle.pointer] = transfer
  }

  private func drive() {
    var count: Int32 = 0
    let outcome = unsafe curl_multi_perform(multi, &count)
    var code = CURLE_OK
    while let handle = unsafe mandate_curl_next_done(multi, &code) {
      guard let transfer = unsafe running[handle] else { continue }
      finish(transfer, with: transfer.failure(for: code))
    }
    if outcome != CURLM_OK { endAll(with: .broken("libcurl's engine failed")) }
  }

  /// Taking a handle out of the engine in mid-transfer closes its connection.
  private func finish(_ transfer: Transfer, with failure: HTTPFailure?) {
    unsafe running[transfer.handle.pointer] = nil
    unsafe curl_multi_remove_handle(multi, transfer.handle.pointer)
    transfer.end(with: failure)
  }

  private func endAll(with failure: HTTPFailure) {
    for transfer in unsafe Array(running.values) { finish(transfer, with: failure) }
  }

  /// `commands` were taken and not yet done.
  private func shutDown(leaving commands: ArraySlice<Command>) {
    let late = mailbox.withLock { mailbox in
      mailbox.isOpen = false
      return take(&mailbox.commands)
    }
    endAll(with: .closed)
    for case .start(let transfer) in commands + late { transfer.end(with: .closed) }
    // After this nobody calls `curl_multi_wakeup`: the mailbox is closed.
    unsafe curl_multi_cleanup(multi)
  }
}
