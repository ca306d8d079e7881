#include "base/control.h"

int rs_control_bytes(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
        return 2;
    return at[0] && (at[0] < ' ' || at[0] == 127);
}

void rs_control_hide(char *text)
{
    char *to = text;
    while (*text) {
        int bytes = rs_control_bytes(text);
        *to++ = bytes ? '?' : *text;
        text += bytes ? bytes : 1;
    }
    *to = 0;
}
