# How fish completes a tool's command line, from what it says of its options:
#
#   rs-norm -help -verbose | awk -v tool=rs-norm -f completions/fish.awk
BEGIN { FS = "\t" }
NR == 1 {
    print "# fish completion of " tool
    next
}
{
    argument = $2 == "flag" ? "" : $2 == "input" || $2 == "output" ? " -r" : " -x"
    if ($2 == "choice") {
        gsub(/\|/, " ", $3)
        argument = argument " -a '" $3 "'"
    }
    gsub(/['\\]/, "\\\\&", $4)
    printf "complete -c %s -o %s%s -d '%s'\n", tool, $1, argument, $4
}
