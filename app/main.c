// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "deconv/hrf.h"
#include "deconv/nearest.h"
#include "io/text.h"
#include "solvers/solver.h"
#include "unrolled/network.h"

#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct command commands[] = {
    {"apply", "NET.safetensors --data X.npy -o U.npy", "Apply a trained network", cmd_apply},
    {"bench", "[lasso|prox|sources|tv]", "Time the solvers against each other on the same data",
     cmd_bench},
    {"config", "--template [COMMAND]", "Print a configuration with every setting explained",
     cmd_config},
    {"convert", "IN OUT", "Write a recording in another format", cmd_convert},
    {"deconv", "BOLD -o DIR", "Deconvolve every voxel of a recording", cmd_deconv},
    {"demo", "-o DIR", "Simulate a run, deconvolve it, report: a first look", cmd_demo},
    {"denoise", "RECORDING -o OUT", "Remove noise from the channels of a recording", cmd_denoise},
    {"hrf", "[NAME...]", "Show response models: shape and samples", cmd_hrf},
    {"info", "FILE...", "Tell what a file is and holds, and whether it is sound", cmd_info},
    {"report", "DIR", "Draw the pages of a folder of results again", cmd_report},
    {"reproduce", "ID|all -o DIR", "Make the figures of the papers again, and check their claims",
     cmd_reproduce},
    {"run", "CONFIG.ini", "Do what a configuration asks for, for all its recordings", cmd_run},
    {"simulate", "digits|fmri|lasso|meeg|tv -o DIR|FILE", "Draw data whose truth is known",
     cmd_simulate},
    {"solve", "tv|lasso --data X.npy -o U.npy", "Solve a problem on arrays", cmd_solve},
    {"sources", "RECORDING --forward FWD.fif --noise-cov COV.fif -o DIR",
     "Find the cortical sources of MEG and EEG", cmd_sources},
    {"train", "NET --data X.npy -o NET.safetensors", "Train an unrolled network", cmd_train},
};

// The one table from errors to exit statuses.
static const struct {
    GQuark (*domain)(void);
    int code;
    enum exit_status status;
} statuses[] = {
    {app_error_quark, APP_ERROR_HELP, EXIT_DONE},
    {app_error_quark, APP_ERROR_USAGE, EXIT_USAGE},
    {app_error_quark, APP_ERROR_CONFIG, EXIT_USAGE},
    {app_error_quark, APP_ERROR_INPUT, EXIT_INPUT},
    {app_error_quark, APP_ERROR_OUTPUT, EXIT_OUTPUT},
    {app_error_quark, APP_ERROR_UNSOLVED, EXIT_PARTIAL},
    {deconv_error_quark, DECONV_ERROR_DATA, EXIT_INPUT},
    {deconv_error_quark, DECONV_ERROR_NAME, EXIT_USAGE},
    {deconv_error_quark, DECONV_ERROR_VALUE, EXIT_USAGE},
    {io_error_quark, IO_ERROR_INPUT, EXIT_INPUT},
    {io_error_quark, IO_ERROR_MEMORY, EXIT_INPUT},
    {io_error_quark, IO_ERROR_OUTPUT, EXIT_OUTPUT},
    {io_error_quark, IO_ERROR_EXISTS, EXIT_OUTPUT},
    {io_error_quark, IO_ERROR_CANCELLED, EXIT_SIGINT},
    {solvers_error_quark, SOLVERS_ERROR_NOT_APPLICABLE, EXIT_USAGE},
    {unrolled_error_quark, UNROLLED_ERROR_NAME, EXIT_USAGE},
    {unrolled_error_quark, UNROLLED_ERROR_REFUSED, EXIT_USAGE},
    {unrolled_error_quark, UNROLLED_ERROR_FILE, EXIT_INPUT},
};

// A signal handler can reach nothing but globals.
static atomic_bool stop = false;
static volatile sig_atomic_t caught = 0;

static void on_signal(int number)
{
    int as = number == SIGHUP ? SIGTERM : number;
    if (caught != 0)
        _exit(128 + as);
    caught = as;
    atomic_store(&stop, true);
}

// A file that is opened must not become standard input, output or error because those were closed:
// messages would go into it.
static bool open_standard_files(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    return descriptor >= 0 && close(descriptor) == 0;
}

static void prepare_process(void)
{
    // The threads are ours: BLAS gives other bits on two threads than on one.
    openblas_set_num_threads(1);
    setlocale(LC_CTYPE, ""); // names of files; numbers stay in the C locale
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); // core files would hold data of subjects
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    // The terminal is gone: ends as by SIGTERM, unless nohup asked to go on.
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN); // a reader that left takes no output with it: writes fail with EPIPE
    signal(SIGXFSZ, SIG_IGN); // writes beyond the limit of file sizes then fail with EFBIG
}

static enum exit_status status_of(const GError *error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (g_error_matches(error, statuses[i].domain(), statuses[i].code))
            return statuses[i].status;
    return EXIT_USAGE;
}

static void print_version(void)
{
    puts("taut " TAUT_VERSION "\n"
         "The source is distributed under the BSD-3-Clause licence. This program is linked with\n"
         "FFTW, which is GPL-2.0-or-later, and is therefore distributed under the GPL, version 2\n"
         "or later. It comes without any warranty.");
}

static void print_help(void)
{
    puts("Usage:\n"
         "  taut [--version] [--help] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
         "Certified sparse deconvolution of recordings of brain activity.\n\n"
         "Commands:");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\n`taut COMMAND --help` lists the options of a command.");
}

static const struct command *find_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands)];
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        names[i] = commands[i].name;
    }
    g_autofree char *printable = text_escape(name);
    size_t nearest = nearest_name(name, names, G_N_ELEMENTS(names));
    if (nearest < G_N_ELEMENTS(names))
        fprintf(stderr, "taut: unknown command \"%s\" (did you mean %s?)\n", printable,
                names[nearest]);
    else
        fprintf(stderr, "taut: unknown command \"%s\" (taut --help lists them)\n", printable);
    return NULL;
}

static void print_error(const struct app *app, const GError *error)
{
    // Only a configuration has several problems to tell, one a line; else a newline is a name's.
    bool many_lines = g_error_matches(error, APP_ERROR, APP_ERROR_CONFIG);
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", many_lines ? -1 : 1);
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *text = text_escape(*line);
        if (app->log != NULL)
            log_error(app->log, "%s", *line);
        else
            fprintf(stderr, "taut: %s\n", text);
    }
}

static enum exit_status end_with_error(const struct app *app, const GError *error)
{
    if (g_error_matches(error, APP_ERROR, APP_ERROR_HELP)) {
        fputs(error->message, stdout);
        return EXIT_DONE;
    }
    if (caught != 0) {
        fprintf(stderr, "taut: stopped by %s\n", caught == SIGINT ? "SIGINT" : "SIGTERM");
        return caught == SIGINT ? EXIT_SIGINT : EXIT_SIGTERM;
    }
    print_error(app, error);
    return status_of(error);
}

static enum exit_status run_command(const struct command *command, int argc, char **argv)
{
    struct app app = {.host = {.stop = &stop}};
    g_autoptr(GError) error = NULL;
    bool done = command->run(&app, command, argc, argv, &error);
    g_assert(done == (error == NULL));
    if (done && app.log != NULL) {
        log_accept(app.log);
        done = log_check_file(app.log, &error);
    }
    enum exit_status status = done ? app.outcome : end_with_error(&app, error);
    app_clear(&app);
    return status;
}

static enum exit_status dispatch(int argc, char **argv)
{
    if (argc < 2) {
        fputs("taut: expected a command (taut --help lists them)\n", stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return EXIT_DONE;
    }
    if (argv[1][0] == '-') {
        g_autofree char *printable = text_escape(argv[1]);
        fprintf(stderr, "taut: unknown option %s (options of a command follow its name)\n",
                printable);
        return EXIT_USAGE;
    }
    const struct command *command = find_command(argv[1]);
    return command == NULL ? EXIT_USAGE : run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    if (!open_standard_files())
        return EXIT_INPUT;
    prepare_process();
    enum exit_status status = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "taut: standard output: cannot write: %s\n", g_strerror(errno));
        return status == EXIT_DONE ? EXIT_OUTPUT : status;
    }
    return status;
}
