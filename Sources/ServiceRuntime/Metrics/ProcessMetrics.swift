// What every process says about itself: processor time, memory, descriptors, when it started, log lines lost. Read from
// the kernel when the page is written; what it does not tell is left out.

import Glibc

extension MetricRegistry {
  /// The names that Prometheus' own libraries use, or the same with what the runner that this one replaces puts before.
  package enum ProcessPrefix: String, Sendable {
    case plain = ""
    case manaAI = "mana_ai_"
  }

  package func addProcessMetrics(log: Log, startedAt: Moment, prefix: ProcessPrefix = .plain) {
    let process = prefix.rawValue + "process_"
    let start = Double(startedAt.microseconds) / 1_000_000
    add(process + "cpu_seconds_total", .counter, "Processor time used, in seconds.") { ProcessFigures.processorSeconds }
    add(process + "resident_memory_bytes", .gauge, "Memory that lies in RAM.") { ProcessFigures.residentBytes }
    add(process + "open_fds", .gauge, "Open file descriptors.") { ProcessFigures.openDescriptors }
    add(process + "max_fds", .gauge, "File descriptors that may be open.") { ProcessFigures.mostDescriptors }
    add(process + "start_time_seconds", .gauge, "When the process started, in seconds since 1970.") { start }
    counter("mandate_log_lines_lost_total", "Log lines that could not be written whole.") { Double(log.lostLines) }
  }
}

enum ProcessFigures {
  static var processorSeconds: Double? {
    var usage = rusage()
    guard unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return nil }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// The second number of statm: pages in RAM.
  static var residentBytes: Double? {
    guard let text = kernelText("/proc/self/statm") else { return nil }
    let numbers = text.split(separator: " ")
    guard numbers.count > 1, let pages = Int(numbers[1]) else { return nil }
    return Double(pages * sysconf(Int32(_SC_PAGESIZE)))
  }

  static var openDescriptors: Double? {
    guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
    // Neither the two dots nor the descriptor that reads the folder.
    var count = -3
    while unsafe readdir(folder) != nil { count += 1 }
    unsafe closedir(folder)
    return count < 0 ? nil : Double(count)
  }

  static var mostDescriptors: Double? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

  private static func kernelText(_ path: String) -> String? {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    defer { close(number) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
