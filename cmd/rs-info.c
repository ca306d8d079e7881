#include "base/operand.h"
#include "cli/tool.h"
#include "task/info.h"

static bool tsv;

static struct rs_option options[] = {
    {"tsv", RS_FLAG, &tsv, .help = "key, tab, value"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-info",
    .operands = "[file ...]",
    .purpose = "says what is in tensors, statistics or a model",
    .options = options,
    .no_images = true,
};

int main(int argc, char **argv)
{
    rs_tool_begin(&tool, argc, &argv);
    bool several = argv[0] && argv[1];
    for (; *argv; argv++) {
        if (several)
            printf("file%s%s\n", tsv ? "\t" : ": ", *argv);
        FILE *stream = rs_tool_open(*argv);
        const char *error = rs_info_print(stream, stdout, tsv ? "\t" : ": ");
        rs_tool_check(ferror(stdout) ? "stdout" : rs_operand_name(*argv), error);
        rs_operand_close(stream);
    }
    return rs_tool_end();
}
