// The kinds that were made by running the seeds' reference; each step of the project adds its own.

extension VectorKinds {
  static let seeds: [VectorKind] = [
    GrantDerivation.kind, GrantUnwrap.kind, Enc1.kind, RecordReplay.kind, ResolverFormat.kind,
  ]
}
