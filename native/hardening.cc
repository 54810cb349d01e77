#include "hardening.h"

#include <string>

#if defined(_WIN32)
#include <windows.h>
#include <werapi.h>
#else
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#endif

#if defined(__linux__)
#include <sys/prctl.h>
#elif defined(__APPLE__)
#include <sys/types.h>
#include <sys/ptrace.h>
#endif

namespace molva {
namespace {

bool TakesNothing(const Napi::CallbackInfo& info) {
  if (info.Length() == 0) return true;
  Napi::TypeError::New(info.Env(), "takes no argument").ThrowAsJavaScriptException();
  return false;
}

bool TurnOffCoreDumps() {
#if defined(_WIN32)
  // No error box that a tool could attach to, no report with a memory image.
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
  return SUCCEEDED(WerSetFlags(WER_FAULT_REPORTING_NO_UI | WER_FAULT_REPORTING_FLAG_NOHEAP));
#else
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return false;
#if defined(__linux__)
  // RLIMIT_CORE does not bind a core_pattern that is a pipe; not being dumpable does, and it also keeps other
  // processes of this user from attaching and from reading /proc/<pid>/mem.
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#elif defined(__APPLE__)
  return ptrace(PT_DENY_ATTACH, 0, nullptr, 0) == 0;
#else
  return true;
#endif
#endif
}

// What keys need: each lies in a page of its own that libsodium locks while it lives.
constexpr size_t kKeyMemoryBytes = 1024 * 1024;

#if defined(_WIN32)

// A process may lock about as much as its minimum working set, by default some thirty pages.
std::string PrepareLocking() {
  const SIZE_T least = 32 * kKeyMemoryBytes;
  const SIZE_T most = 1024 * kKeyMemoryBytes;
  const DWORD flags = QUOTA_LIMITS_HARDWS_MIN_DISABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE;
  if (!SetProcessWorkingSetSizeEx(GetCurrentProcess(), least, most, flags)) return "limit";
  void* probe = VirtualAlloc(nullptr, kKeyMemoryBytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (probe == nullptr) return "limit";
  const bool locked = VirtualLock(probe, kKeyMemoryBytes) != 0;
  VirtualFree(probe, 0, MEM_RELEASE);
  return locked ? "" : "limit";
}

#else

// How far below the caller's frame the stack is locked: deeper calls that handle keys stay well within it.
constexpr size_t kStackBytes = 256 * 1024;

std::string LockError() {
  return errno == ENOMEM || errno == EPERM || errno == EAGAIN ? "limit" : std::strerror(errno);
}

void* StackTop() {
#if defined(__APPLE__)
  return pthread_get_stackaddr_np(pthread_self());
#else
  pthread_attr_t attributes;
  void* bottom = nullptr;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
  return static_cast<char*>(bottom) + size;
#endif
}

// Copies of keys that a cipher leaves on the stack do not reach the swap either.
std::string LockStack() {
  volatile char deeper[kStackBytes];
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // The stack grows when it is touched, from the top down; only what exists can be locked.
  for (size_t at = kStackBytes; at > 0; at -= page < at ? page : at) deeper[at - 1] = 0;
  const auto bottom = (reinterpret_cast<uintptr_t>(&deeper[0]) + page - 1) & ~(page - 1);
  const auto top = reinterpret_cast<uintptr_t>(StackTop()) & ~(page - 1);
  if (top <= bottom) return "the stack was not found";
  return mlock(reinterpret_cast<void*>(bottom), top - bottom) == 0 ? "" : LockError();
}

// The whole process is not locked (mlockall): the JavaScript engine gives pages back with MADV_DONTNEED, which
// fails on locked ones, and it ends the process then (docs/decisions/0003-memory-locking.md).
std::string PrepareLocking() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &limit);
  }
  void* probe = mmap(nullptr, kKeyMemoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return LockError();
  const std::string problem = mlock(probe, kKeyMemoryBytes) == 0 ? "" : LockError();
  munmap(probe, kKeyMemoryBytes);
  return problem.empty() ? LockStack() : problem;
}

#endif

Napi::Value DisableCoreDumps(const Napi::CallbackInfo& info) {
  if (!TakesNothing(info)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), TurnOffCoreDumps());
}

Napi::Value LockMemory(const Napi::CallbackInfo& info) {
  if (!TakesNothing(info)) return info.Env().Undefined();
  const std::string problem = PrepareLocking();
  if (problem.empty()) return info.Env().Null();
  return Napi::String::New(info.Env(), problem);
}

}  // namespace

void RegisterHardening(Napi::Env env, Napi::Object exports) {
  exports.Set("disableCoreDumps", Napi::Function::New(env, DisableCoreDumps, "disableCoreDumps"));
  exports.Set("lockMemory", Napi::Function::New(env, LockMemory, "lockMemory"));
}

}  // namespace molva
