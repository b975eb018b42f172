// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void html_append_text(GString *html, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (letter == '&')
            g_string_append(html, "&amp;");
        else if (letter == '<')
            g_string_append(html, "&lt;");
        else if (letter == '>')
            g_string_append(html, "&gt;");
        else if (letter == '"')
            g_string_append(html, "&quot;");
        else if (letter == '\'')
            g_string_append(html, "&#39;");
        else
            g_string_append_unichar(html, g_unichar_iscntrl(letter) ? 0xfffd : letter);
    }
}

void html_append_number(GString *html, double value)
{
    double size = fabs(value);
    if (!isfinite(value)) {
        g_string_append(html, isnan(value) ? "–" : "∞");
    } else if (size == 0.0 || (value == round(value) && size < 1e6)) {
        g_string_append_printf(html, "%.0f", value);
    } else if (size >= 1e-3 && size < 1e6) {
        g_string_append_printf(html, "%.4g", value);
    } else {
        // Rounded by printf, so that 9.99e-6 is 1.0e-5 and not 10e-6.
        char rounded[32];
        g_snprintf(rounded, sizeof rounded, "%.1e", value);
        char *exponent = strchr(rounded, 'e');
        *exponent++ = '\0';
        int power = atoi(exponent);
        g_string_append_printf(html, "%s&#8239;×&#8239;10<sup>%s%d</sup>", rounded,
                               power < 0 ? "−" : "", abs(power));
    }
}

size_t plot_ticks(const double range[2], size_t wanted, double ticks[PLOT_MAX_TICKS])
{
    double span = range[1] - range[0];
    g_assert(wanted >= 2 && wanted <= PLOT_MAX_TICKS);
    if (!(span > 0.0) || !isfinite(span))
        return 0;
    double power = pow(10.0, floor(log10(span / (double) wanted)));
    static const double factors[] = {1.0, 2.0, 5.0, 10.0, 20.0};
    for (size_t f = 0; f < G_N_ELEMENTS(factors); f++) {
        double step = factors[f] * power;
        double first = ceil(range[0] / step - 1e-9);
        double last = floor(range[1] / step + 1e-9);
        if (last - first + 1.0 > (double) wanted)
            continue;
        size_t n = last < first ? 0 : (size_t) (last - first) + 1;
        for (size_t i = 0; i < n; i++)
            ticks[i] = (first + (double) i) * step + 0.0; // 0, not -0
        return n;
    }
    return 0;
}

void plot_range(const double *values, size_t n, double range[2])
{
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            continue;
        range[0] = fmin(range[0], values[i]);
        range[1] = fmax(range[1], values[i]);
    }
    if (range[0] > range[1])
        range[0] = range[1] = 0.0;
    double margin = range[1] > range[0] ? (range[1] - range[0]) / 20.0 : 1.0;
    range[0] -= margin;
    range[1] += margin;
}

void plot_range_join(double range[2], const double other[2])
{
    range[0] = fmin(range[0], other[0]);
    range[1] = fmax(range[1], other[1]);
}

static double at_x(const struct plot *plot, double x)
{
    return plot->left +
           plot->width * (x - plot->x_range[0]) / (plot->x_range[1] - plot->x_range[0]);
}

static double at_y(const struct plot *plot, double y)
{
    return plot->top +
           plot->height * (plot->y_range[1] - y) / (plot->y_range[1] - plot->y_range[0]);
}

static void rule(const struct plot *plot, const double from[2], const double to[2],
                 const char *class)
{
    g_string_append_printf(plot->svg, "<line class='%s' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>",
                           class, from[0], from[1], to[0], to[1]);
}

static void tick_label(const struct plot *plot, double x, double y, const char *anchor,
                       double value)
{
    g_string_append_printf(plot->svg, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s%.6g</text>", x,
                           y, anchor, value < 0.0 ? "−" : "", fabs(value));
}

static void x_axis(const struct plot *plot, const char *label)
{
    double ticks[PLOT_MAX_TICKS];
    double bottom = plot->top + plot->height;
    size_t n = plot_ticks(plot->x_range, plot->width > 500.0 ? 12 : 6, ticks);
    for (size_t i = 0; i < n; i++) {
        double x = at_x(plot, ticks[i]);
        rule(plot, (double[]){x, plot->top}, (double[]){x, bottom}, "grid");
        if (label != NULL)
            tick_label(plot, x, bottom + 15.0, "middle", ticks[i]);
    }
    rule(plot, (double[]){plot->left, bottom}, (double[]){plot->left + plot->width, bottom},
         "axis");
    if (label == NULL)
        return;
    g_string_append_printf(plot->svg, "<text x='%.1f' y='%.1f' text-anchor='middle'>",
                           plot->left + plot->width / 2.0, bottom + 32.0);
    html_append_text(plot->svg, label);
    g_string_append(plot->svg, "</text>");
}

static void y_axis(const struct plot *plot, const char *label)
{
    double ticks[PLOT_MAX_TICKS];
    size_t n = plot_ticks(plot->y_range, plot->height > 120.0 ? 6 : 4, ticks);
    for (size_t i = 0; i < n; i++) {
        double y = at_y(plot, ticks[i]);
        rule(plot, (double[]){plot->left, y}, (double[]){plot->left + plot->width, y},
             ticks[i] == 0.0 ? "zero" : "grid");
        tick_label(plot, plot->left - 7.0, y + 4.0, "end", ticks[i]);
    }
    double middle = plot->top + plot->height / 2.0;
    g_string_append_printf(plot->svg,
                           "<text transform='translate(%.1f %.1f) rotate(-90)' "
                           "text-anchor='middle'>",
                           plot->left - 48.0, middle);
    html_append_text(plot->svg, label);
    g_string_append(plot->svg, "</text>");
}

void plot_axes(const struct plot *plot, const char *x_label, const char *y_label)
{
    x_axis(plot, x_label);
    y_axis(plot, y_label);
}

void plot_time_axis(const struct plot *plot, const char *label)
{
    x_axis(plot, label);
}

void plot_line(const struct plot *plot, const double *values, size_t n, double step,
               const char *class)
{
    g_string_append_printf(plot->svg, "<path class='%s' d='", class);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(plot->svg, "%c%.1f %.1f", i == 0 ? 'M' : 'L',
                               at_x(plot, (double) i * step), at_y(plot, values[i]));
    g_string_append(plot->svg, "'/>");
}

void plot_steps(const struct plot *plot, const double *values, size_t n, double step,
                const char *class)
{
    if (n == 0)
        return;
    g_string_append_printf(plot->svg, "<path class='%s' d='M%.1f %.1f", class, at_x(plot, 0.0),
                           at_y(plot, values[0]));
    for (size_t i = 1; i < n; i++)
        if (values[i] != values[i - 1])
            g_string_append_printf(plot->svg, "H%.1fV%.1f", at_x(plot, (double) i * step),
                                   at_y(plot, values[i]));
    g_string_append_printf(plot->svg, "H%.1f'/>", at_x(plot, (double) n * step));
}

void plot_shade(const struct plot *plot, const double *begin, size_t n, double width)
{
    for (size_t i = 0; i < n; i++) {
        double left = at_x(plot, begin[i]), right = at_x(plot, begin[i] + width);
        g_string_append_printf(plot->svg,
                               "<rect class='shade' x='%.1f' y='%.1f' width='%.1f' "
                               "height='%.1f'/>",
                               left, plot->top, fmax(right - left, 1.0), plot->height);
    }
}

void plot_picture(const struct plot *plot, const char *png)
{
    g_string_append_printf(plot->svg,
                           "<image x='%.1f' y='%.1f' width='%.1f' height='%.1f' "
                           "preserveAspectRatio='none' href='data:image/png;base64,%s'/>",
                           plot->left, plot->top, plot->width, plot->height, png);
}

void plot_bars(const struct plot *plot, const size_t *counts, size_t n, double first, double width)
{
    double bottom = at_y(plot, 0.0);
    for (size_t i = 0; i < n; i++) {
        if (counts[i] == 0)
            continue;
        double left = at_x(plot, first + (double) i * width);
        double right = at_x(plot, first + (double) (i + 1) * width);
        // A bar that holds anything is seen, however few it holds.
        double top = fmin(at_y(plot, (double) counts[i]), bottom - 1.0);
        g_string_append_printf(plot->svg,
                               "<rect class='bar' x='%.1f' y='%.1f' width='%.1f' height='%.1f'>"
                               "<title>%zu</title></rect>",
                               left + 0.5, top, fmax(right - left - 1.0, 0.5), bottom - top,
                               counts[i]);
    }
}

void plot_marker(const struct plot *plot, double x, const char *label)
{
    double place = at_x(plot, x);
    rule(plot, (double[]){place, plot->top}, (double[]){place, plot->top + plot->height}, "marker");
    bool at_right = place > plot->left + 0.7 * plot->width;
    g_string_append_printf(plot->svg, "<text x='%.1f' y='%.1f' text-anchor='%s'>",
                           at_right ? place - 5.0 : place + 5.0, plot->top + 12.0,
                           at_right ? "end" : "start");
    html_append_text(plot->svg, label);
    g_string_append(plot->svg, "</text>");
}
