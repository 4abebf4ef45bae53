// The version that every executable of this project shows.

package enum ProductVersion {
  package static let current = "0.1.0"
}
