# Reads the TRX files of dotnet test with awk: they are XML, but each element begins where the last one ends, so that splitting at
# "<" gives one element per record. Sourced by scripts/test.

# trx_counts FILE: total, executed and passed tests. Skipped ones are the total less the executed.
trx_counts() {
    awk 'BEGIN { RS = "<" }
        function attribute(name) { return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : 0 }
        /^Counters / { print attribute("total"), attribute("executed"), attribute("passed") }' "$1"
}

# trx_results FILE OUTCOME: "test: first line of its message" for each result with that outcome.
trx_results() {
    awk -v outcome="$2" 'BEGIN { RS = "<" }
        function plain(text) {
            gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&#xD;|&#xA;/, " ", text)
            gsub(/&apos;/, "\x27", text); gsub(/&amp;/, "\\&", text)
            return text
        }
        function flush() { if (name != "") print plain(name) (message != "" ? ": " plain(message) : ""); name = message = "" }
        /^UnitTestResult / {
            flush()
            if ($0 ~ " outcome=\"" outcome "\"" && match($0, / testName="[^"]*"/)) name = substr($0, RSTART + 11, RLENGTH - 12)
        }
        /^(Message|StdOut)>/ && name != "" && message == "" { message = $0; sub(/^[A-Za-z]+>/, "", message); sub(/^[ \r\n]+/, "", message); sub(/[\r\n].*/, "", message) }
        /^\/Results>/ { flush() }' "$1"
}

trx_skipped() { trx_results "$1" NotExecuted; }
trx_failed() { trx_results "$1" Failed; }
