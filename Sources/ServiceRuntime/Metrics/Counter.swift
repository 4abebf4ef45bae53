// Counts that only grow, and values that go up and down.

package struct Counter<each Label: Hashable & Sendable>: Sendable {
  private let labels: (repeat LabelSet<each Label>)
  private let series: MetricSeries<Double>

  init(_ labels: repeat LabelSet<each Label>, series: MetricSeries<Double>) {
    self.labels = (repeat each labels)
    self.series = series
  }

  /// Less than nothing is never added: a counter that falls looks like a restart.
  package func add(_ amount: Double = 1, _ values: repeat each Label) {
    guard amount >= 0, amount.isFinite else { return }
    var index = 0
    for (set, value) in repeat (each labels, each values) { index = index * set.count + set.position(of: value) }
    series.update(at: index) { $0 += amount }
  }
}

package struct Gauge<each Label: Hashable & Sendable>: Sendable {
  private let labels: (repeat LabelSet<each Label>)
  private let series: MetricSeries<Double>

  init(_ labels: repeat LabelSet<each Label>, series: MetricSeries<Double>) {
    self.labels = (repeat each labels)
    self.series = series
  }

  package func set(_ amount: Double, _ values: repeat each Label) {
    var index = 0
    for (set, value) in repeat (each labels, each values) { index = index * set.count + set.position(of: value) }
    series.update(at: index) { $0 = amount }
  }

  package func add(_ amount: Double, _ values: repeat each Label) {
    var index = 0
    for (set, value) in repeat (each labels, each values) { index = index * set.count + set.position(of: value) }
    series.update(at: index) { $0 += amount }
  }
}
