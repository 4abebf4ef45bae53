// What the resolver answers when it can't answer a call at all. What became of single missions stands in the reply.

import HTTPServing

enum ResolverProblem {
  static let malformed = Problem(400, "BAD_REQUEST", "the call is not what a resolve call must be")
  static let tooLarge = Problem(413, "BATCH_TOO_LARGE", "a call has at most 256 requests and 8 MiB; split it")
  static let unavailable = Problem(503, "UNAVAILABLE", "the database cannot be asked now; nothing was opened")

  /// Said before anything of the call was looked at. A batch of the usual size takes a fraction of a second.
  static var busy: Problem {
    var problem = Problem(503, "TOO_MANY_BATCHES", "too many batches are in work; nothing was opened, try again")
    problem.headers.set("Retry-After", "1")
    return problem
  }
}
