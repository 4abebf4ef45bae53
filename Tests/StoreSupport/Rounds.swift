// How often races and disasters are run: a few dozen rounds where everything is checked, thousands in `make soak`, which says so
// by MANDATE_SOAK_ROUNDS and wants to hear that they go on.

import ServiceRuntime

package enum Rounds {
  private static let setting = Setting<Int>.integer(
    .soakRounds, .value(1), in: 1...1_000_000, unit: "times as many",
    reason: "How many times as many rounds of every race the tests run; make soak sets it.")

  private static let factor: Int = {
    do throws(SettingsProblems) {
      return try SettingsReader.build(from: .process, documented: [setting.documentation]) { $0.read(setting) }
    } catch { fatalError(error.text) }
  }()

  package static var isSoak: Bool { factor > 1 }

  /// `few` where everything is checked.
  package static func of(_ few: Int) -> Int { few * factor }

  /// A line now and then, in a soak alone.
  package static func progress(_ what: String, _ round: Int, of rounds: Int) {
    guard isSoak, round % max(1, rounds / 20) == 0 else { return }
    print("soak · \(what): round \(round) of \(rounds)")
  }
}
