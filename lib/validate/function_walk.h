// The function walk: reads a body once, keeps operand and control stacks, checks types where asked, and
// tells a sink (sink.h) per instruction what it learned.
//
// PLACEHOLDER INTERFACE - to be filled by the owner of lib/validate; sinks compile against this.
//
//   template <class Sink, bool kChecked> class FunctionWalk {
//    public:
//     FunctionWalk(const wasm::Module&, wasm::FuncIndex, Sink&);
//     Result<void> run();                      // Error with byte offset when kChecked; reusable object pools inside
//     const wasm::Module& module() const;
//     wasm::FuncIndex function() const;
//     const wasm::FuncType& type() const;
//     std::span<const wasm::ValType> local_types() const;      // parameters first
//     std::span<const Operand> operands() const;               // whole stack, bottom first
//     const Operand& operand(std::size_t from_top) const;
//     std::uint32_t slot_height() const;                       // slots in use now
//     std::uint32_t max_slot_height() const;                   // after run()
//     std::uint64_t offset() const;                            // of the current instruction, in the module
//     wasm::FeatureSet features() const;                       // after run(): what the body uses
//   };
