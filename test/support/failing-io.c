/*
 * Makes every n-th of a process's calls that open or change something below one folder fail. Preloaded into a real
 * core (LD_PRELOAD); failing-io.ts compiles it and turns it on and off through the mapped control file:
 *
 *   u32 errno that the calls fail with, 0: none fails · u32 n · u32 calls counted · u32 calls failed
 *
 * The control file is MOLVA_FAILING_CONTROL, the folder MOLVA_FAILING_FOLDER. Nothing is counted while it is off.
 * A call on a mapped range (msync) has no file to judge by, and is not among them: the database is not written that way.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile uint32_t *control;
static char folder[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("MOLVA_FAILING_CONTROL");
  const char *below = getenv("MOLVA_FAILING_FOLDER");
  if (!file || !below || strlen(below) >= sizeof folder) return;
  strcpy(folder, below);
  int opened = open(file, O_RDWR | O_CLOEXEC);
  if (opened < 0) return;
  void *mapped = mmap(NULL, 4 * sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  close(opened);
  if (mapped != MAP_FAILED) control = mapped;
}

static int is_on(void) { return control && control[0] != 0 && control[1] != 0; }

/* Counts a call; true, with errno set, when it is one that fails. */
static int fails(void) {
  if (__atomic_add_fetch(&control[2], 1, __ATOMIC_SEQ_CST) % control[1] != 0) return 0;
  __atomic_add_fetch(&control[3], 1, __ATOMIC_SEQ_CST);
  errno = (int)control[0];
  return 1;
}

static int is_below(const char *path) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int path_fails(const char *path) { return is_on() && path && is_below(path) && fails(); }

static int file_fails(int file) {
  if (!is_on()) return 0;
  char link[64], path[PATH_MAX];
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path) && fails();
}

/* A new socket takes a descriptor as a new file does. */
static int socket_fails(void) { return is_on() && control[0] == EMFILE && fails(); }

#define NEXT(result, name, parameters) \
  static result(*next) parameters; \
  if (!next) next = (result(*) parameters)dlsym(RTLD_NEXT, name)

#define FOR_FILE(result, name, parameters, arguments) \
  result name parameters { \
    NEXT(result, #name, parameters); \
    return file_fails(file) ? -1 : next arguments; \
  }

#define FOR_PATH(name, parameters, arguments) \
  int name parameters { \
    NEXT(int, #name, parameters); \
    return path_fails(path) ? -1 : next arguments; \
  }

#define FOR_SOCKET(name, parameters, arguments) \
  int name parameters { \
    NEXT(int, #name, parameters); \
    return socket_fails() ? -1 : next arguments; \
  }

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

#define OPENS(name) \
  int name(const char *path, int flags, ...) { \
    MODE_OF(flags) \
    NEXT(int, #name, (const char *, int, ...)); \
    return path_fails(path) ? -1 : next(path, flags, mode); \
  }

#define OPENS_AT(name) \
  int name(int at, const char *path, int flags, ...) { \
    MODE_OF(flags) \
    NEXT(int, #name, (int, const char *, int, ...)); \
    return path_fails(path) ? -1 : next(at, path, flags, mode); \
  }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
FOR_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
FOR_PATH(rename, (const char *path, const char *to), (path, to))
FOR_PATH(unlink, (const char *path), (path))
FOR_FILE(ssize_t, write, (int file, const void *bytes, size_t count), (file, bytes, count))
FOR_FILE(ssize_t, pwrite, (int file, const void *bytes, size_t count, off_t at), (file, bytes, count, at))
FOR_FILE(ssize_t, pwrite64, (int file, const void *bytes, size_t count, off64_t at), (file, bytes, count, at))
FOR_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
FOR_FILE(ssize_t, pwritev, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
FOR_FILE(ssize_t, pwritev64, (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))
FOR_FILE(int, fsync, (int file), (file))
FOR_FILE(int, fdatasync, (int file), (file))
FOR_FILE(int, ftruncate, (int file, off_t size), (file, size))
FOR_FILE(int, ftruncate64, (int file, off64_t size), (file, size))
FOR_SOCKET(socket, (int domain, int type, int protocol), (domain, type, protocol))
