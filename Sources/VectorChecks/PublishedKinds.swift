// The kinds of this family; each step of the project adds its own.

extension VectorKinds {
  static let published: [VectorKind] = []
}
