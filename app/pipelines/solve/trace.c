// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/solve/trace.h"

#include "solvers/cpu_clock.h"

#include <math.h>
#include <string.h>

enum { EVERY_ONE = 1000, A_DECADE = 20, DECADES = 7, N_ROWS = EVERY_ONE + 1 + A_DECADE * DECADES };

/** What is known of one series. */
struct last {
    double lambda;
    double objective;
    double gap;
    double seconds;     // from its start
    double row_seconds; // the same, at the last row
    size_t n_rows;      // looked at
};

/** Sums over the series of a block, at one row. */
struct sums {
    double objective;
    double gap;
    double gap_max;
    double seconds;
};

struct block_trace {
    struct workspace *ws; // borrowed; of the thread that solves the block
    double clock;         // CPU seconds of that thread when the solver went on
    struct sums *rows;    // owned; n_allocated
    size_t n_allocated;
};

struct trace {
    const struct problem *problem; // borrowed
    struct block x;                // its samples borrowed
    const double *lambda;          // borrowed
    bool lambda_is_ratio;
    struct solver_observer observer;
    struct last *series;        // owned; n_series
    struct block_trace *blocks; // owned
    size_t n_blocks;
    size_t iterations[N_ROWS]; // of each row
};

static void observe(void *data, size_t series, size_t iteration, const double *u);

struct trace *trace_new(const struct problem *problem, struct block x, const double *lambda,
                        bool lambda_is_ratio)
{
    struct trace *trace = g_new0(struct trace, 1);
    trace->problem = problem;
    trace->x = x;
    trace->lambda = lambda;
    trace->lambda_is_ratio = lambda_is_ratio;
    trace->observer = (struct solver_observer){observe, trace};
    trace->series = g_new0(struct last, x.n_series);
    trace->n_blocks = (x.n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
    trace->blocks = g_new0(struct block_trace, trace->n_blocks);
    for (size_t row = 0; row < N_ROWS; row++)
        trace->iterations[row] =
            row <= EVERY_ONE
                ? row
                : (size_t) round(EVERY_ONE * pow(10.0, (double) (row - EVERY_ONE) / A_DECADE));
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL)
        return;
    for (size_t i = 0; i < trace->n_blocks; i++)
        g_free(trace->blocks[i].rows);
    g_free(trace->blocks);
    g_free(trace->series);
    g_free(trace);
}

const struct solver_observer *trace_observer(const struct trace *trace)
{
    return &trace->observer;
}

void trace_begin_block(struct trace *trace, size_t first, struct workspace *ws)
{
    struct block_trace *block = &trace->blocks[first / BLOCK_SERIES];
    block->ws = ws;
    block->clock = cpu_clock_s();
}

// The row of an iteration, or N_ROWS where it has none.
static size_t row_of(const struct trace *trace, size_t iteration)
{
    if (iteration <= EVERY_ONE)
        return iteration;
    double at = EVERY_ONE + A_DECADE * log10((double) iteration / EVERY_ONE);
    size_t row = (size_t) round(at);
    return row < N_ROWS && trace->iterations[row] == iteration ? row : N_ROWS;
}

static struct sums *sums_at(struct block_trace *block, size_t row)
{
    if (row >= block->n_allocated) {
        size_t n = MAX(2 * block->n_allocated, row + 64);
        block->rows = g_renew(struct sums, block->rows, n);
        memset(block->rows + block->n_allocated, 0, (n - block->n_allocated) * sizeof *block->rows);
        block->n_allocated = n;
    }
    return &block->rows[row];
}

static void add_to(struct sums *sums, const struct last *last)
{
    sums->objective += last->objective;
    sums->gap += last->gap;
    sums->gap_max = MAX(sums->gap_max, last->gap);
    sums->seconds += last->seconds;
}

static void look(struct trace *trace, struct block_trace *block, size_t v, size_t row,
                 const double *u)
{
    struct last *last = &trace->series[v];
    const double *x = block_series(&trace->x, v);
    if (last->n_rows == 0)
        last->lambda = trace->lambda_is_ratio
                           ? trace->lambda[v] * problem_lambda_max(trace->problem, x, block->ws)
                           : trace->lambda[v];
    // Methods may pass over iterations: what they had before stands for these.
    double seconds = last->seconds;
    last->seconds = last->row_seconds;
    for (; last->n_rows > 0 && last->n_rows < row; last->n_rows++)
        add_to(sums_at(block, last->n_rows), last);
    last->seconds = last->row_seconds = seconds;
    last->objective = problem_objective(trace->problem, x, u, last->lambda, block->ws);
    last->gap = problem_certify(trace->problem, x, u, last->lambda, block->ws).relative_gap;
    last->n_rows = row + 1;
    add_to(sums_at(block, row), last);
}

static void observe(void *data, size_t series, size_t iteration, const double *u)
{
    struct trace *trace = data;
    struct block_trace *block = &trace->blocks[series / BLOCK_SERIES];
    trace->series[series].seconds += cpu_clock_s() - block->clock;
    size_t row = row_of(trace, iteration);
    if (row < N_ROWS)
        look(trace, block, series, row, u);
    block->clock = cpu_clock_s();
}

// The sums over all series at a row; those that were done before it stay where they were.
static struct sums total_at(const struct trace *trace, size_t row)
{
    struct sums total = {0};
    for (size_t i = 0; i < trace->n_blocks; i++) {
        const struct block_trace *block = &trace->blocks[i];
        if (row >= block->n_allocated)
            continue;
        total.objective += block->rows[row].objective;
        total.gap += block->rows[row].gap;
        total.gap_max = MAX(total.gap_max, block->rows[row].gap_max);
        total.seconds += block->rows[row].seconds;
    }
    for (size_t v = 0; v < trace->x.n_series; v++) {
        const struct last *last = &trace->series[v];
        if (last->n_rows == 0 || last->n_rows > row)
            continue;
        add_to(&total, last);
    }
    return total;
}

static void append_row(GString *table, size_t iteration, const struct sums *total, double n)
{
    const double numbers[] = {total->objective / n, total->gap / n, total->gap_max, total->seconds};
    g_string_append_printf(table, "%zu", iteration);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_printf(table, "\t%s",
                               g_ascii_formatd(text, sizeof text, "%.17g", numbers[i]));
    }
    g_string_append_c(table, '\n');
}

// The end of all series, where that is past the last row.
static void append_end(GString *table, const struct trace *trace,
                       const struct series_result *results, gssize after, double cpu_seconds)
{
    struct sums total = {.seconds = cpu_seconds};
    size_t n = 0, iterations = 0;
    for (size_t v = 0; v < trace->x.n_series; v++) {
        if (results[v].status != SERIES_SOLVED && results[v].status != SERIES_INACCURATE)
            continue;
        n++;
        iterations = MAX(iterations, results[v].iterations);
        total.objective += results[v].objective;
        total.gap += results[v].relative_gap;
        total.gap_max = MAX(total.gap_max, results[v].relative_gap);
    }
    if (n > 0 && (gssize) iterations > after)
        append_row(table, iterations, &total, (double) n);
}

char *trace_table(const struct trace *trace, const struct series_result *results,
                  double cpu_seconds)
{
    GString *table = g_string_new("iteration\tobjective_mean\tgap_mean\tgap_max\tseconds\n");
    size_t n_observed = 0, n_rows = 0;
    double seconds = 0.0;
    for (size_t v = 0; v < trace->x.n_series; v++) {
        const struct last *last = &trace->series[v];
        n_observed += last->n_rows > 0;
        n_rows = MAX(n_rows, last->n_rows);
        seconds += last->seconds;
    }
    for (size_t row = 0; row < n_rows; row++) {
        struct sums total = total_at(trace, row);
        append_row(table, trace->iterations[row], &total, (double) n_observed);
    }
    bool seen = n_rows > 0;
    append_end(table, trace, results, seen ? (gssize) trace->iterations[n_rows - 1] : -1,
               seen ? seconds : cpu_seconds);
    return g_string_free(table, FALSE);
}
