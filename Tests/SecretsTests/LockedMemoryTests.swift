// What the kernel does for the arena: locked, not dumped, not inherited, walled in.

import Glibc
import MemoryInspection
import Testing

@testable import Secrets

@Suite struct LockedMemoryTests {
  @Test(
    "The kernel keeps the arena locked, out of core dumps and out of forked children", .enabled(if: Sanitizer.isAbsent))
  func flags() throws {
    let arena = try SecretArena(bytes: 64 << 10)
    let address = unsafe UInt(bitPattern: arena.pointer(at: 0))
    let map = try #require(try MemoryMap.containing(address))
    #expect(map.permissions == "rw-p")
    #expect(map.flags.isSuperset(of: ["lo", "dd", "wf"]))
    #expect(try MemoryMap.containing(address + 65535)?.flags.isSuperset(of: ["lo", "dd", "wf"]) == true)
  }

  @Test("The process's own arena is one of them, and it is not small", .enabled(if: Sanitizer.isAbsent))
  func processArena() throws {
    let address = unsafe UInt(bitPattern: SecretArena.process.pointer(at: 0))
    let map = try #require(try MemoryMap.containing(address))
    #expect(map.flags.isSuperset(of: ["lo", "dd", "wf"]))
    #expect(SecretArena.process.capacity >= SecretArena.smallestBytes)
  }

  @Test("An arena that ends gives its mapping back")
  func unmapped() async {
    // In a process of its own, where no other arena can take the place.
    await #expect(processExitsWith: .success) {
      var address: UInt = 0
      do {
        let arena = try SecretArena(bytes: 4096)
        address = unsafe UInt(bitPattern: arena.pointer(at: 0))
        guard try MemoryMap.containing(address)?.flags.contains("wf") == true else { exit(2) }
      }
      exit(try MemoryMap.containing(address)?.flags.contains("wf") == true ? EXIT_FAILURE : EXIT_SUCCESS)
    }
  }

  @Test("A page without any permission stands on both sides")
  func guardPages() throws {
    let arena = try SecretArena(bytes: 4096)
    let address = unsafe UInt(bitPattern: arena.pointer(at: 0))
    #expect(try MemoryMap.containing(address - 1)?.permissions == "---p")
    #expect(try MemoryMap.containing(address + 4096)?.permissions == "---p")
  }

  @Test("Reading one byte before the arena ends the process")
  func before() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      quietCrashes()
      let arena = try SecretArena(bytes: 4096)
      exit(Int32(unsafe (arena.pointer(at: 0) - 1).load(as: UInt8.self)))
    }
  }

  @Test("Writing one byte behind the arena ends the process")
  func behind() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      quietCrashes()
      let arena = try SecretArena(bytes: 4096)
      unsafe arena.pointer(at: 4096).storeBytes(of: 1, as: UInt8.self)
      exit(0)
    }
  }

  @Test("A forked child finds zeroes where its parent has a secret")
  func forked() async {
    await #expect(processExitsWith: .success) {
      let arena = try SecretArena(bytes: 4096)
      let source = [UInt8](repeating: 0xA5, count: 32)
      let secret = try SecretBytes(copying: source.span, in: arena)
      let address = unsafe arena.pointer(at: 0)
      let child = fork()
      if child == 0 {
        // Nothing but a look and an exit: a child of a process with threads may do no more.
        var sum: Int32 = 0
        for index in 0..<32 { unsafe sum |= Int32(address.load(fromByteOffset: index, as: UInt8.self)) }
        _exit(sum == 0 ? 7 : 8)
      }
      var status: Int32 = 0
      guard child > 0, unsafe waitpid(child, &status, 0) == child else { exit(2) }
      let kept = secret.equals(source.span)
      exit(status == 7 << 8 && kept ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("Where the kernel locks little the arena is smaller", .enabled(if: Sanitizer.isAbsent))
  func lowLimit() async {
    await #expect(processExitsWith: .success) {
      guard limitLockedMemory(to: 256 << 10) else { exit(2) }
      let arena = try SecretArena(bytes: SecretArena.preferredBytes)
      let map = try MemoryMap.containing(unsafe UInt(bitPattern: arena.pointer(at: arena.capacity - 1)))
      let fits = (SecretArena.smallestBytes...256 << 10).contains(arena.capacity)
      exit(fits && map?.flags.contains("lo") == true ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("Where the kernel locks next to nothing there is no arena", .enabled(if: Sanitizer.isAbsent))
  func noLimit() async {
    await #expect(processExitsWith: .success) {
      guard limitLockedMemory(to: 32 << 10) else { exit(2) }
      do {
        _ = try SecretArena(bytes: SecretArena.preferredBytes)
      } catch SecretError.cannotLock {
        exit(EXIT_SUCCESS)
      }
      exit(EXIT_FAILURE)
    }
  }
}

/// Root may lock as much as it likes, so it becomes nobody.
private func limitLockedMemory(to bytes: UInt) -> Bool {
  var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
  guard unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else { return false }
  return geteuid() != 0 || setuid(65534) == 0
}

/// A crash that is wanted needs no report, and a report takes seconds.
private func quietCrashes() { signal(SIGSEGV, SIG_DFL) }
