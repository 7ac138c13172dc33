// Compiled with what semel::delivery_core brings, and with nothing else: that DEPS bind (cmake/semel.cmake).

#if !__has_include(<delivery/core/window.hpp>) || !__has_include(<delivery/message.hpp>) || !__has_include(<kafka/types.hpp>)
#error "what a library offers, and what its DEPS offer, is to be found"
#endif

#if __has_include(<delivery/engine/engine.hpp>) || __has_include(<delivery/gateway.hpp>)
#error "the other libraries of the same folder are not in DEPS"
#endif

#if __has_include(<kafka/consumer.hpp>) || __has_include(<redis/client.hpp>) || __has_include(<http/client.hpp>)
#error "semel::kafka, semel::redis and semel::http are not in DEPS"
#endif

#if __has_include(<sms/core/pdu.hpp>) || __has_include(<support/records.hpp>)
#error "neither is a service, nor what the tests have"
#endif
