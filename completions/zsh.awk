# How zsh completes a tool's command line, from what it says of its options:
#
#   rs-norm -help -verbose | awk -v tool=rs-norm -f completions/zsh.awk
function quoted(text) {
    gsub(/[\]\[:\\]/, "\\\\&", text)
    gsub(/'/, "'\\''", text)
    return text
}
BEGIN { FS = "\t" }
NR == 1 {
    print "#compdef " tool
    print "_arguments \\"
    next
}
$2 == "flag" {
    printf "    '-%s[%s]' \\\n", $1, quoted($4)
    next
}
{ action = " " }
$2 == "choice" {
    gsub(/\|/, " ", $3)
    action = "(" $3 ")"
    $3 = $1
}
$2 == "input" || $2 == "output" { action = "_files" }
{ printf "    '-%s=[%s]:%s:%s' \\\n", $1, quoted($4), quoted($3), action }
END { print "    '*:file:_files'" }
