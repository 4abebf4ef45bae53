// Sets a variable of this process; only for exit tests, which have a process of their own.

#if canImport(Glibc)
  import Glibc
#endif

func setVariable(_ name: String, _ value: String) { unsafe setenv(name, value, 1) }
