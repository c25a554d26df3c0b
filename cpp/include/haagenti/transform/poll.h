// What long work calls now and then, on the thread that started it: it may throw to end the work (Ctrl-C).
// Not responsible for what it does.
#pragma once

#include <functional>

namespace haagenti {

using Poll = std::function<void()>;  // empty: nothing to ask

}  // namespace haagenti
