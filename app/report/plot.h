// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** Appends text from anywhere, safe inside HTML: markup escaped, bad UTF-8 and controls replaced.
 */
void html_append_text(GString *html, const char *text);

/** Appends a number for people: "12.5", "0.031", "3.2 × 10⁻¹⁵" with markup for the exponent. */
void html_append_number(GString *html, double value);

/** A frame of axes inside an SVG: where it stands, in pixels, and what range it shows. */
struct plot {
    GString *svg; // borrowed
    double left, top, width, height;
    double x_range[2];
    double y_range[2];
};

enum { PLOT_MAX_TICKS = 12 };

/**
 * Round numbers (1, 2 or 5 times a power of ten apart) inside a range, at most `wanted` of them
 * (2 <= wanted <= PLOT_MAX_TICKS). Returns how many.
 */
size_t plot_ticks(const double range[2], size_t wanted, double ticks[PLOT_MAX_TICKS]);

/** The smallest and the largest of finite values, widened by a twentieth on both sides. */
void plot_range(const double *values, size_t n, double range[2]);

/** Extends a range so that it holds another one. */
void plot_range_join(double range[2], const double other[2]);

/** Axes, ticks, grid lines and labels; x_label NULL: no labels below. */
void plot_axes(const struct plot *plot, const char *x_label, const char *y_label);

/** The lower one of them alone. */
void plot_time_axis(const struct plot *plot, const char *label);

/** Samples i = 0 .. n-1 at x = i step, joined by lines; `class` names its style. */
void plot_line(const struct plot *plot, const double *values, size_t n, double step,
               const char *class);

/** The same, each sample held until the next. */
void plot_steps(const struct plot *plot, const double *values, size_t n, double step,
                const char *class);

/** Shades stretches of `width` that begin at values of x: frames that do not count. */
void plot_shade(const struct plot *plot, const double *begin, size_t n, double width);

/** A picture that fills the frame; base64 of a PNG. */
void plot_picture(const struct plot *plot, const char *png);

/** Bars of counts: bar i spans x = first + i width .. first + (i + 1) width. */
void plot_bars(const struct plot *plot, const size_t *counts, size_t n, double first, double width);

/** A dashed vertical line with a label. */
void plot_marker(const struct plot *plot, double x, const char *label);
