# What the demo prints, and how it judges: plain lines, on a terminal and in a file alike. To be sourced.

worked=0
refused=0
surprises=0

# Nothing that is refused may answer with a word of this.
secrets='Garden|Buy|plumber|Kitchen|Monday|Nobody needs'

chapter() { printf '\n%s\n' "$1"; }
say() { printf '  %s\n' "${1:-}"; }
shortened() { printf '%s' "${1#"$root"/}"; }

# Runs what stands on standard input, as a reader would type it after `cd .mandate/demo && . ./env`, and shows it with
# its answer.
run() {
  command=$(cat)
  printf '\n'
  # Not indented, or what is copied from here would be another command.
  sed '1s/^/$ /' <<<"$command"
  code=0
  answer=$(cd "$folder" && . ./env && timeout 60 bash -o pipefail -c "$command" 2>&1 </dev/null) || code=$?
  # Sealed bytes and hashes are noise to a reader.
  sed -E 's/[A-Za-z0-9+\/=_.-]{80,}/…/g; s/([0-9a-f]{8})[0-9a-f]{24,}/\1…/g; s/^/| /' <<<"$answer"
}

# works WHAT PATTERN: it must be done, and answer so.
works() {
  run
  if ((code == 0)) && [[ $answer =~ $2 ]]; then
    worked=$((worked + 1))
    say "worked: $1"
  else
    surprise "$1" "$2"
  fi
}

# refuses WHAT PATTERN: it must answer so, and with nothing that was sealed. A command that could not be run, or was
# given up, has another exit code than 0 or 1 and proves nothing.
refuses() {
  run
  if ((code <= 1)) && [[ $answer =~ $2 && ! $answer =~ $secrets ]]; then
    refused=$((refused + 1))
    say "refused: $1"
  else
    surprise "$1" "$2"
  fi
}

# has_no_effect WHAT PATTERN: nobody minds it, and everything is as before.
has_no_effect() {
  run
  if ((code == 0)) && [[ $answer =~ $2 ]]; then
    refused=$((refused + 1))
    say "without effect: $1"
  else
    surprise "$1" "$2"
  fi
}

surprise() {
  surprises=$((surprises + 1))
  say "SURPRISE: $1"
  say "exit code $code, and the answer should have been like: $2"
}
