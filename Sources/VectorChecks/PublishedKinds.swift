// The kinds of others that anybody can fetch: Project Wycheproof, NIST, RFC 5869, PKCS #1.

extension VectorKinds {
  static let published: [VectorKind] = [
    WycheproofFile.aesGCM, WycheproofFile.hkdfSHA256, WycheproofFile.rsaOAEP, WycheproofFile.ed25519, CAVPGCM.kind,
    RFC5869Text.kind, OAEPExampleText.kind, OAEPExampleText.workedExample, OAEPLabelText.kind,
  ]
}
