// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/budget.h"

#include "solvers/parallel.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

bool budget_parse_count(const char *text, size_t low, size_t high, size_t *count)
{
    guint64 value;
    if (!g_ascii_string_to_unsigned(text, 10, low, high, &value, NULL))
        return false;
    *count = (size_t) value;
    return true;
}

bool budget_parse_size(const char *text, size_t *bytes)
{
    static const char units[] = "KMGT";
    char *end;
    double value = g_ascii_strtod(text, &end);
    if (end == text || !(value > 0.0))
        return false;
    const char *unit = *end == '\0' ? NULL : strchr(units, g_ascii_toupper(*end));
    if (unit != NULL) {
        value *= (double) (1ULL << (10 * (unit - units + 1)));
        end++;
        if (*end == 'i') // as in GiB
            end++;
    }
    if (*end == 'B')
        end++;
    // 2^63: no machine has more, and above it the cast is undefined
    if (*end != '\0' || !(value >= 1.0 && value < 9223372036854775808.0))
        return false;
    *bytes = (size_t) value;
    return true;
}

static bool environment_count(const char *name, size_t *count)
{
    const char *text = g_getenv(name);
    return text != NULL && budget_parse_count(text, 1, SIZE_MAX >> 20, count);
}

size_t budget_threads(void)
{
    size_t count;
    return environment_count("SLURM_CPUS_PER_TASK", &count) ? count : parallel_cpu_count();
}

// The number that a file of a control group holds; "max" and absent files set no limit.
static size_t file_limit(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    size_t bytes;
    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        !budget_parse_count(g_strstrip(text), 1, SIZE_MAX, &bytes))
        return SIZE_MAX;
    return bytes;
}

// A group is also bounded by those that it lies in.
static size_t group_limit(const char *root, const char *group, const char *name)
{
    g_autofree char *folder = g_build_filename(root, group, NULL);
    size_t limit = SIZE_MAX;
    while (strlen(folder) >= strlen(root)) {
        limit = MIN(limit, file_limit(folder, name));
        char *slash = strrchr(folder, '/');
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    return limit;
}

// Lines of /proc/self/cgroup: "0::/PATH" (version 2), "4:memory:/PATH" (version 1).
static size_t control_group_limit(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
        return SIZE_MAX;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t limit = SIZE_MAX;
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) parts = g_strsplit(*line, ":", 3);
        if (g_strv_length(parts) != 3)
            continue;
        if (strcmp(parts[1], "") == 0)
            limit = MIN(limit, group_limit("/sys/fs/cgroup", parts[2], "memory.max"));
        else if (strcmp(parts[1], "memory") == 0)
            limit =
                MIN(limit, group_limit("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"));
    }
    return limit;
}

static size_t slurm_limit(void)
{
    size_t megabytes;
    if (environment_count("SLURM_MEM_PER_NODE", &megabytes))
        return megabytes << 20;
    size_t cpus = budget_threads();
    if (environment_count("SLURM_MEM_PER_CPU", &megabytes) && megabytes < (SIZE_MAX >> 20) / cpus)
        return (megabytes << 20) * cpus;
    return SIZE_MAX;
}

static size_t machine_limit(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 ? (size_t) pages * (size_t) page_size : SIZE_MAX;
}

size_t budget_memory(void)
{
    size_t limit = MIN(machine_limit(), control_group_limit());
    limit = MIN(limit, slurm_limit());
    struct rlimit address_space;
    if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
        limit = MIN(limit, (size_t) address_space.rlim_cur);
    return limit;
}
