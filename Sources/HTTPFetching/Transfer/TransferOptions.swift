// Every option of libcurl that this door sets, and why. What is off by default in libcurl is switched off all the same
// where its being off is a promise of ours.

import CCurl

extension EasyHandle {
  func apply(
    _ request: HTTPRequest, _ configuration: HTTPConfiguration, remaining: Duration?
  ) throws(HTTPFailure) {
    confine()
    trust(configuration.trust)
    setLimits(request.limits, configuration, remaining: remaining)
    set(CURLOPT_URL, request.url.text)
    if let path = request.unixSocket { set(CURLOPT_UNIX_SOCKET_PATH, path) }
    setMethod(request)
    // Without this libcurl waits a second for `100 Continue` before it sends a large body.
    addLine("Expect:")
    set(CURLOPT_USERAGENT, configuration.userAgent)
    for (name, value) in request.headers { addLine("\(name): \(value)") }
    for credential in request.credentials { addLine(credential.line) }
    try seal()
  }

  /// What this door never does, whatever a caller, a server or the environment says.
  private func confine() {
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_FOLLOWLOCATION, 0)
    // HTTP/1.1 alone: one way to frame an answer, and pausing a reader then stops its own connection only.
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_HTTP09_ALLOWED, 0)
    // An empty proxy also keeps libcurl from asking the environment for one.
    set(CURLOPT_PROXY, "")
    set(CURLOPT_NOPROXY, "*")
    set(CURLOPT_NETRC, 0)
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    // No signal handlers; and a name that takes long to resolve must not hold up the engine when its call ends.
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_TCP_NODELAY, 1)
  }

  private func trust(_ trust: HTTPConfiguration.Trust) {
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    if let file = trust.authorityFile {
      set(CURLOPT_CAINFO, file)
      // Debian's libcurl would believe the system's folder of authorities beside the file.
      set(CURLOPT_CAPATH, nil)
      // A file that was exchanged is noticed within a minute.
      set(CURLOPT_CA_CACHE_TIMEOUT, 60)
    }
    if let file = trust.clientCertificateFile {
      set(CURLOPT_SSLCERTTYPE, "PEM")
      set(CURLOPT_SSLCERT, file)
    }
    if let file = trust.clientKeyFile {
      set(CURLOPT_SSLKEYTYPE, "PEM")
      set(CURLOPT_SSLKEY, file)
    }
  }

  private func setLimits(_ limits: HTTPLimits, _ configuration: HTTPConfiguration, remaining: Duration?) {
    set(CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, limits.connect.milliseconds)))
    if let remaining { set(CURLOPT_TIMEOUT_MS, Int(max(1, remaining.milliseconds))) }
    if let silence = limits.silence {
      set(CURLOPT_LOW_SPEED_LIMIT, 1)
      set(CURLOPT_LOW_SPEED_TIME, Int(max(1, silence.components.seconds)))
    }
    set(CURLOPT_MAXAGE_CONN, configuration.idleSeconds)
    set(CURLOPT_MAXLIFETIME_CONN, configuration.longestUseSeconds)
  }

  private func setMethod(_ request: HTTPRequest) {
    switch request.method {
    case .get: set(CURLOPT_HTTPGET, 1)
    case .head: set(CURLOPT_NOBODY, 1)
    case .post: set(CURLOPT_POST, 1)
    case .put, .patch, .delete: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }
    guard let body = request.body else {
      // A POST, PUT or PATCH without a body says so by its length.
      if request.method == .delete || !request.carriesBody { return }
      set(CURLOPT_COPYPOSTFIELDS, "")
      addLine("Content-Type:")
      return
    }
    switch body.storage {
    case .plain(let bytes):
      setSize(CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
      // An array may move; libcurl's copy is wiped when it is freed.
      unsafe bytes.withUnsafeBytes { unsafe set(CURLOPT_COPYPOSTFIELDS, pointer: $0.baseAddress) }
    case .wiped(let body):
      // Its memory stays where it is as long as the request does, and the transfer keeps the request.
      unsafe body.withBytes {
        setSize(CURLOPT_POSTFIELDSIZE_LARGE, $0.count)
        unsafe set(CURLOPT_POSTFIELDS, pointer: $0.baseAddress)
      }
    }
    addLine("Content-Type: \(body.contentType)")
  }
}

extension HTTPRequest {
  fileprivate var carriesBody: Bool {
    switch method {
    case .post, .put, .patch: true
    case .get, .head, .delete: false
    }
  }
}
