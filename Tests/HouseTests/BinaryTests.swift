// The rules about binaries: recorded symbol lists that break each, then the executables that were built with these
// tests.

import Testing

@Suite("The binaries")
struct BinaryTests {
  private let manifest = Manifest(targets: [
    Manifest.Target(name: "COpenSSL", kind: "system"),
    Manifest.Target(name: "CPostgres", kind: "system"),
    Manifest.Target(name: "Cryptography", kind: "regular", dependencies: ["COpenSSL"]),
    Manifest.Target(name: "HTTPServing", kind: "regular", dependencies: ["COpenSSL"]),
    Manifest.Target(name: "Vault", kind: "regular", dependencies: ["Cryptography"]),
    Manifest.Target(name: "VectorChecks", kind: "regular", dependencies: ["Cryptography"]),
    Manifest.Target(name: "MissionRunner", kind: "regular", dependencies: ["HTTPServing"]),
    Manifest.Target(name: "mandate-vectors", kind: "executable", dependencies: ["VectorChecks"]),
    Manifest.Target(name: "mandate-runner", kind: "executable", dependencies: ["MissionRunner"]),
  ])

  /// As `nm` and `nm -D` print it.
  private let sound = """
    00000000000086c0 T $s15mandate_vectors5EntryV4mainyyFZ
    0000000000008e8c r $s15mandate_vectorsMXM
    0000000000004010 T $s12Cryptography6DigestV6sha2566RawData0V
    0000000000008710 T main
                     U EVP_DigestInit_ex@OPENSSL_3.0.0
                     w __gmon_start__
                     U $ss5print_9separator10terminatoryypd_S2StF
    """

  private func vectors(adding line: String) -> [Binary] {
    [Binary(name: "mandate-vectors", listing: sound + "\n" + line)]
  }

  @Test("An executable with its own rooms and their doors passes")
  func soundPasses() { expectPassed(BinaryRules.nothingIsSmuggledIn(vectors(adding: ""), manifest)) }

  @Test("A room that is not in the closure is caught by its symbols")
  func strangers() {
    let check = BinaryRules.nothingIsSmuggledIn
    let vault = "0000000000005000 t $s5Vault9MasterKeyV4wrap33_0427040505EBC27442097DD31EBDCDF9LLyyF"
    expectCaught(check(vectors(adding: vault), manifest), naming: "mandate-vectors", "$s5Vault")
    // Somebody else's word that merely contains the name.
    expectPassed(check(vectors(adding: "0000000000005000 t $s7Secrets5VaultV"), manifest))
  }

  @Test("A C library without its door is caught, and so is what the plan forbids in spite of one")
  func libraries() {
    let check = BinaryRules.nothingIsSmuggledIn
    expectCaught(check(vectors(adding: "                 U PQconnectdb"), manifest), naming: "PQconnectdb", "CPostgres")
    expectCaught(check(vectors(adding: "                 U curl_easy_init@CURL_4"), manifest), naming: "CCurl")
    func runner(_ symbol: String) -> [Binary] {
      [Binary(name: "mandate-runner", listing: "                 U \(symbol)@OPENSSL_3.0.0")]
    }
    expectPassed(check(runner("SSL_CTX_new"), manifest))
    expectCaught(check(runner("EVP_PKEY_decrypt"), manifest), naming: "mandate-runner", "EVP_PKEY_decrypt")
    expectCaught(check(runner("RSA_private_decrypt"), manifest), naming: "RSA_private_decrypt")
  }

  @Test("A list that shows nothing is caught, not believed")
  func blindness() {
    let check = BinaryRules.theEyeIsOpen
    let files = [SourceFile(path: "Sources/Cryptography/A.swift", text: "EVP_DigestInit_ex(a, b, nil)")]
    expectPassed(check(vectors(adding: ""), files, manifest))
    let stripped = [Binary(name: "mandate-vectors", listing: "                 U EVP_DigestInit_ex@OPENSSL_3.0.0")]
    #expect(check(stripped, [], manifest).problems.count == 2)
    let noSSL = sound.replacing("EVP_", with: "abc_")
    expectCaught(check([Binary(name: "mandate-vectors", listing: noSSL)], files, manifest), naming: "COpenSSL")
    #expect(check([], [], manifest).lookedAt == 0)
  }

  @Test("The executables contain what the map says and nothing else")
  func house() throws {
    let (built, missing) = try House.binaries()
    if !missing.isEmpty { print("house · not built yet: \(missing.joined(separator: ", "))") }
    let manifest = try House.manifest()
    let promised = Set(manifest.rooms.filter { $0.kind == "executable" }.map(\.name))
    #expect(promised.isSubset(of: built.map(\.name)), "an executable of Package.swift was not built with the tests")
    expectKept("nothing is smuggled in", BinaryRules.nothingIsSmuggledIn(built, manifest))
    expectKept("the eye is open", BinaryRules.theEyeIsOpen(built, try House.sources(), manifest))
  }
}
