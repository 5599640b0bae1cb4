// Effect's schema compiler, switched on for the whole process: `Schema.is` of an action goes from some hundred
// thousand to some million checks a second. The module is marked unstable, so it is imported here alone and
// `decode.test.ts` compares it with the interpreter; without this line everything still works, slower.
import "effect/schema/SchemaJITCompiler/enable"
