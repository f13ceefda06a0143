/* Loaded before the C library: notes, one a line, what is waited for to be on the disk, what gets
   another name, and what is removed, in the file that SYNC_LOG names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note(const char *what, const char *from, const char *to) {
    const char *log = getenv("SYNC_LOG");
    int file = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file >= 0) {
        dprintf(file, "%s %s%s%s\n", what, from, *to ? " " : "", to);
        close(file);
    }
}

static int synced(const char *name, int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    int done = ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
    if (done == 0) note("sync", path, "");
    return done;
}

int fsync(int file) { return synced("fsync", file); }
int fdatasync(int file) { return synced("fdatasync", file); }

int unlink(const char *path) {
    int done = ((int (*)(const char *))dlsym(RTLD_NEXT, "unlink"))(path);
    if (done == 0) note("remove", path, "");
    return done;
}

int rename(const char *from, const char *to) {
    int done = ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
    if (done == 0) note("rename", from, to);
    return done;
}
