import Secrets
import Testing

@Test func placeholder() throws {
  let secret = try SecretBytes(zeroed: 32)
  let same = secret.equals(secret)
  #expect(same)
}
