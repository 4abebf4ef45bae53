// The asynchronous half of a connection: takes one request after the other from the mailbox, runs its handler on the
// cooperative threads, and sends the answer back to the loop. It ends, its handler cancelled, with the connection.

extension Connection {
  func serve() async {
    await withTaskGroup { group in
      group.addTask { await self.mailbox.ended() }
      group.addTask {
        while let raw = await self.mailbox.next() {
          let response = await self.answer(raw)
          // Cancelled means that the connection is at its end; what an interrupted handler says is for nobody.
          if !Task.isCancelled { self.loop.post(.reply(self, response)) }
        }
      }
      await group.next()
      group.cancelAll()
    }
    loop.post(.served(self))
  }

  private func answer(_ raw: RawRequest) async -> HTTPResponse {
    let settings = listener.settings
    let client = settings.trustedProxies.client(
      peer: raw.peer.address, forwardedFor: raw.headers.all("X-Forwarded-For"))
    let traceParent = raw.headers["traceparent"].flatMap { TraceParent($0) }
    // Only an internal caller may name its request: an id from outside could be made to look like another's.
    let given =
      settings.name == .internalSide ? raw.headers["X-Request-Id"].flatMap { RequestID.isSane($0) ? $0 : nil } : nil
    var note = RequestNote(
      route: HTTPRoutes.unmatched, method: raw.method, id: given ?? raw.id, traceParent: traceParent, client: client)
    guard let target = RequestTarget.decode(raw.target.span) else {
      mailbox.note(note)
      var response = HTTPResponse.problem(.badRequest)
      HTTPRoutes.secure(&response, id: note.id)
      return response
    }
    let request = HTTPRequest(
      method: raw.method, segments: target.segments, query: target.query, headers: raw.headers, body: raw.body,
      id: note.id, traceParent: traceParent, peer: raw.peer, client: client, serviceKey: raw.serviceKey)
    note.route = settings.routes.label(of: request)
    mailbox.note(note)
    return await settings.routes.answer(request, cors: settings.cors)
  }
}
