/* Output and command line. */
#include <stdarg.h>

#include "guest.h"

#define LINE 1024

struct sink {
    char *buffer;
    u32 size, used;
};

static volatile u32 console_lock;

static void put(struct sink *sink, char c)
{
    if (sink->used < sink->size)
        sink->buffer[sink->used++] = c;
}

static void put_number(struct sink *sink, u64 value, u32 base, u32 width, char pad)
{
    char digits[24];
    u32 count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > count; width--)
        put(sink, pad);
    while (count)
        put(sink, digits[--count]);
}

static void put_all(struct sink *sink, const char *format, va_list arguments, bool console)
{
    for (; *format; format++) {
        if (*format != '%') {
            if (console && *format == '\n')
                put(sink, '\r');
            put(sink, *format);
            continue;
        }
        char pad = ' ';
        u32 width = 0;
        bool is_long = false;
        format++;
        if (*format == '0')
            pad = *format++;
        while (*format >= '0' && *format <= '9')
            width = width * 10 + (u32)(*format++ - '0');
        while (*format == 'l') {
            is_long = true;
            format++;
        }
        switch (*format) {
        case 'u':
        case 'x':
            put_number(sink, is_long ? va_arg(arguments, u64) : va_arg(arguments, u32), *format == 'u' ? 10 : 16, width, pad);
            break;
        case 'd': {
            long value = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            if (value < 0)
                put(sink, '-');
            put_number(sink, value < 0 ? 0 - (u64)value : (u64)value, 10, width, pad);
            break;
        }
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text; text++)
                put(sink, *text);
            break;
        case 'c': put(sink, (char)va_arg(arguments, int)); break;
        case '%': put(sink, '%'); break;
        default: return;
        }
    }
}

void print(const char *format, ...)
{
    static char line[LINE + CMDLINE_SIZE];
    va_list arguments;
    while (__sync_lock_test_and_set(&console_lock, 1))
        cpu_relax();
    struct sink sink = { line, sizeof line, 0 };
    va_start(arguments, format);
    put_all(&sink, format, arguments, true);
    va_end(arguments);
    call0(SVC_WRITE, (u64)line, sink.used, 0);
    __sync_lock_release(&console_lock);
}

u32 format(char *buffer, u32 size, const char *format, ...)
{
    va_list arguments;
    struct sink sink = { buffer, size - 1, 0 };
    va_start(arguments, format);
    put_all(&sink, format, arguments, false);
    va_end(arguments);
    buffer[sink.used] = 0;
    return sink.used;
}

void guest_exit(u32 value)
{
    call0(SVC_EXIT, value, 0, 0);
    __builtin_unreachable();
}

bool text_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* The last one wins, as with most programs. */
static const char *find(const char *name)
{
    const char *found = 0;
    for (const char *word = machine.cmdline; *word;) {
        while (*word == ' ')
            word++;
        const char *w = word, *n = name;
        while (*n && *w == *n)
            w++, n++;
        if (!*n && *w == '=')
            found = w + 1;
        while (*word && *word != ' ')
            word++;
    }
    return found;
}

static void bad_option(const char *name, const char *why)
{
    print("guest: option %s: %s\n", name, why);
    guest_exit(2);
}

u64 option(const char *name, u64 otherwise)
{
    const char *text = find(name);
    if (!text)
        return otherwise;
    u64 value = 0, base = 10;
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    if (!*text || *text == ' ')
        bad_option(name, "not a number");
    for (; *text && *text != ' '; text++) {
        char lower = (char)(*text | 0x20);
        u64 digit = *text >= '0' && *text <= '9' ? (u64)(*text - '0') : lower >= 'a' && lower <= 'f' ? (u64)(lower - 'a' + 10) : 99;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            bad_option(name, "not a number");
    }
    return value;
}

u64 option_in(const char *name, u64 otherwise, u64 low, u64 high)
{
    u64 value = option(name, otherwise);
    if (value < low || value > high)
        bad_option(name, "out of range");
    return value;
}

bool option_text(const char *name, char *buffer, u32 size)
{
    const char *text = find(name);
    u32 used = 0;
    if (text)
        for (; *text && *text != ' ' && used < size - 1; text++)
            buffer[used++] = *text;
    buffer[used] = 0;
    return text != 0;
}

bool option_is(const char *name, const char *value)
{
    char text[64];
    return option_text(name, text, sizeof text) && text_equal(text, value);
}
