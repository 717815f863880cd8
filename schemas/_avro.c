/* Avro bytes straight into msgspec structs and back, by the plans of schemas/plans.py.

   The wire format is that of the Avro 1.12 specification, "Binary Encoding". Every read is checked against the end of
   the bytes, every count against what is left, and plans have a bounded depth; so no input can make it read beyond
   its end, recurse without bound or allocate more than a few times its size. The interpreter lock is held throughout.

   Structs are filled through the offsets of their slots, as their type's member descriptors state them: schema and
   struct have the same fields (tests/schemas hold that), so every slot is set. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <structmember.h>

enum { NUL, BOOLEAN, NUMBER, WHOLE_DOUBLE, DOUBLE, FLOAT, TEXT, BYTES, FIXED, AMOUNT, SYMBOL, UNION, REFUSED, RECORD,
       ARRAY, MAP, PASS_NUMBER, PASS_BYTES, PASS_FIXED };
enum { W_BOOLEAN, W_NUMBER, W_DOUBLE, W_FLOAT, W_TEXT, W_BYTES, W_AMOUNT, W_OPTIONAL, W_RECORD, W_ARRAY, W_MAP };

#define AMOUNT_SCALE 4
#define AMOUNT_END 1000000000000000000LL
#define AMOUNT_BYTES_QUICK 13
#define KEPT_TEXTS 1024
#define KEPT_LENGTH 16
#define BUFFER_KEPT 65536

static PyObject *Misfit, *Cut, *Trailing, *whole, *booleans, *deepcopy, *path_name;

static PyObject *kept_texts[KEPT_TEXTS];
/* Short ASCII texts (map keys, channels, sources) come again and again: each slot keeps the last that hashed there. */

typedef struct Node {
    int operation;
    PyObject *path;
    PyObject *object; /* the struct, the symbols, the amounts by their bytes, or why a branch is refused */
    long long low, high, units;
    Py_ssize_t size, count, default_count;
    struct Node **steps;
    PyObject **names, **defaults; /* per step: the attribute; per lacking field: its default */
    Py_ssize_t *slots, *default_slots;
} Node;

typedef struct {
    const unsigned char *at, *end;
} Cursor;

typedef struct {
    unsigned char *data;
    Py_ssize_t length, room;
} Buffer;

static PyObject *fail(PyObject *kind, const Node *node, const char *why) {
    PyObject *error = PyObject_CallFunction(kind, "s", why);
    if (error != NULL) {
        if (PyObject_SetAttr(error, path_name, node->path) == 0) PyErr_SetObject(kind, error);
        Py_DECREF(error);
    }
    return NULL;
}

/* What Python raised, and at which field. */
static PyObject *located(const Node *node) {
    PyObject *kind, *error, *trace;
    PyErr_Fetch(&kind, &error, &trace);
    PyErr_NormalizeException(&kind, &error, &trace);
    if (error != NULL && !PyObject_HasAttr(error, path_name) && PyObject_SetAttr(error, path_name, node->path) < 0)
        PyErr_Clear();
    PyErr_Restore(kind, error, trace);
    return NULL;
}

static PyObject *cut(const Node *node) { return fail(Cut, node, "the bytes end before the record does"); }

/* ---- plans ---- */

static void node_free(Node *node) {
    if (node == NULL) return;
    for (Py_ssize_t i = 0; i < node->count; i++) {
        if (node->steps != NULL) node_free(node->steps[i]);
        if (node->names != NULL) Py_XDECREF(node->names[i]);
    }
    for (Py_ssize_t i = 0; i < node->default_count; i++)
        if (node->defaults != NULL) Py_XDECREF(node->defaults[i]);
    PyMem_Free(node->steps);
    PyMem_Free(node->names);
    PyMem_Free(node->slots);
    PyMem_Free(node->defaults);
    PyMem_Free(node->default_slots);
    Py_XDECREF(node->path);
    Py_XDECREF(node->object);
    PyMem_Free(node);
}

static int slot_of(PyObject *type, PyObject *name, Py_ssize_t *slot) {
    PyObject *member = PyObject_GetAttr(type, name);
    if (member == NULL) return -1;
    int is_slot = Py_IS_TYPE(member, &PyMemberDescr_Type) &&
                  ((PyMemberDescrObject *)member)->d_member->type == T_OBJECT_EX;
    if (is_slot) *slot = ((PyMemberDescrObject *)member)->d_member->offset;
    Py_DECREF(member);
    if (!is_slot) PyErr_Format(PyExc_TypeError, "%R of %R is no slot", name, type);
    return is_slot ? 0 : -1;
}

static Node *node_new(PyObject *step, int is_write);

static int add_steps(Node *node, PyObject *steps, int is_write, int with_names) {
    node->count = PyTuple_GET_SIZE(steps);
    node->steps = PyMem_Calloc(node->count + 1, sizeof(Node *));
    node->names = PyMem_Calloc(node->count + 1, sizeof(PyObject *));
    node->slots = PyMem_Calloc(node->count + 1, sizeof(Py_ssize_t));
    if (node->steps == NULL || node->names == NULL || node->slots == NULL) return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < node->count; i++) {
        PyObject *step = PyTuple_GET_ITEM(steps, i), *name = Py_None;
        if (with_names && !PyArg_ParseTuple(step, "O!O", &PyTuple_Type, &step, &name)) return -1;
        node->steps[i] = node_new(step, is_write);
        if (node->steps[i] == NULL) return -1;
        node->slots[i] = -1;
        if (name == Py_None) continue;
        node->names[i] = Py_NewRef(name);
        if (slot_of(node->object, name, &node->slots[i]) < 0) return -1;
    }
    return 0;
}

static int add_one_step(Node *node, PyObject *step, int is_write) {
    PyObject *steps = PyTuple_Pack(1, step);
    if (steps == NULL) return -1;
    int done = add_steps(node, steps, is_write, 0);
    Py_DECREF(steps);
    return done;
}

static int add_defaults(Node *node, PyObject *defaults) {
    node->default_count = PyTuple_GET_SIZE(defaults);
    node->defaults = PyMem_Calloc(node->default_count + 1, sizeof(PyObject *));
    node->default_slots = PyMem_Calloc(node->default_count + 1, sizeof(Py_ssize_t));
    if (node->defaults == NULL || node->default_slots == NULL) return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < node->default_count; i++) {
        PyObject *name, *value;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(defaults, i), "OO", &name, &value)) return -1;
        node->defaults[i] = Py_NewRef(value);
        if (slot_of(node->object, name, &node->default_slots[i]) < 0) return -1;
    }
    return 0;
}

static int fill_read(Node *node, PyObject *step) {
    PyObject *object = NULL, *steps, *defaults, *path;
    int operation, done = 1;
    switch (node->operation) {
    case NUMBER:
    case WHOLE_DOUBLE:
        done = PyArg_ParseTuple(step, "iOLLLO", &operation, &path, &node->low, &node->high, &node->units, &object);
        break;
    case FIXED:
    case PASS_FIXED: done = PyArg_ParseTuple(step, "iOn", &operation, &path, &node->size); break;
    case AMOUNT: done = PyArg_ParseTuple(step, "iOLnO", &operation, &path, &node->units, &node->size, &object); break;
    case SYMBOL: done = PyArg_ParseTuple(step, "iOO!", &operation, &path, &PyTuple_Type, &object); break;
    case REFUSED: done = PyArg_ParseTuple(step, "iOU", &operation, &path, &object); break;
    case UNION:
        if (!PyArg_ParseTuple(step, "iOO!", &operation, &path, &PyTuple_Type, &steps)) return -1;
        return add_steps(node, steps, 0, 0);
    case ARRAY:
    case MAP:
        if (!PyArg_ParseTuple(step, "iOO!", &operation, &path, &PyTuple_Type, &steps)) return -1;
        return add_one_step(node, steps, 0);
    case RECORD:
        if (!PyArg_ParseTuple(step, "iOOO!O!", &operation, &path, &object, &PyTuple_Type, &steps, &PyTuple_Type,
                              &defaults))
            return -1;
        node->object = Py_NewRef(object);
        if (add_steps(node, steps, 0, 1) < 0) return -1;
        return add_defaults(node, defaults);
    }
    node->object = Py_XNewRef(object);
    return done ? 0 : -1;
}

static int fill_write(Node *node, PyObject *step) {
    PyObject *object, *steps, *path;
    int operation;
    switch (node->operation) {
    case W_NUMBER: return PyArg_ParseTuple(step, "iOLL", &operation, &path, &node->low, &node->high) ? 0 : -1;
    case W_OPTIONAL:
        if (!PyArg_ParseTuple(step, "iOnO!", &operation, &path, &node->size, &PyTuple_Type, &steps)) return -1;
        return add_one_step(node, steps, 1);
    case W_ARRAY:
    case W_MAP:
        if (!PyArg_ParseTuple(step, "iOO!", &operation, &path, &PyTuple_Type, &steps)) return -1;
        return add_one_step(node, steps, 1);
    case W_RECORD:
        if (!PyArg_ParseTuple(step, "iOOO!", &operation, &path, &object, &PyTuple_Type, &steps)) return -1;
        node->object = Py_NewRef(object);
        return add_steps(node, steps, 1, 1);
    }
    return 0;
}

static Node *node_new(PyObject *step, int is_write) {
    Node *node = PyMem_Calloc(1, sizeof(Node));
    if (node == NULL) return (Node *)PyErr_NoMemory();
    if (PyTuple_GET_SIZE(step) < 2 || !PyUnicode_Check(PyTuple_GET_ITEM(step, 1))) {
        PyErr_SetString(PyExc_TypeError, "a step is an operation, a path, and what the operation needs");
        PyMem_Free(node);
        return NULL;
    }
    node->operation = (int)PyLong_AsLong(PyTuple_GET_ITEM(step, 0));
    node->path = Py_NewRef(PyTuple_GET_ITEM(step, 1));
    if (PyErr_Occurred() || (is_write ? fill_write(node, step) : fill_read(node, step)) < 0) {
        node_free(node);
        return NULL;
    }
    return node;
}

/* ---- reading ---- */

static int read_long(Cursor *c, const Node *node, long long *number) {
    unsigned long long found = 0;
    for (int shift = 0;; shift += 7) {
        if (c->at == c->end) return cut(node), -1;
        unsigned char byte = *c->at++;
        if (shift == 63 && byte > 1) return fail(Misfit, node, "a number of more than 64 bits"), -1;
        found |= (unsigned long long)(byte & 127) << shift;
        if (byte < 128) break;
    }
    *number = (long long)(found >> 1) ^ -(long long)(found & 1);
    return 0;
}

static int read_length(Cursor *c, const Node *node, Py_ssize_t *length) {
    long long found;
    if (read_long(c, node, &found) < 0) return -1;
    if (found < 0) return fail(Misfit, node, "a negative length"), -1;
    if (found > c->end - c->at) return cut(node), -1;
    *length = (Py_ssize_t)found;
    return 0;
}

/* The number of items in the next block: each takes a byte at least. A negative count is followed by a size. */
static int read_block(Cursor *c, const Node *node, Py_ssize_t *count) {
    long long found, size;
    if (read_long(c, node, &found) < 0) return -1;
    if (found < 0) {
        if (read_long(c, node, &size) < 0) return -1;
        if (found < -(c->end - c->at)) return cut(node), -1;
        found = -found;
    }
    if (found > c->end - c->at) return cut(node), -1;
    *count = (Py_ssize_t)found;
    return 0;
}

static int is_left(Cursor *c, const Node *node, Py_ssize_t size) {
    if (c->end - c->at >= size) return 1;
    cut(node);
    return 0;
}

static PyObject *text_of(const char *bytes, Py_ssize_t length) {
    if (length == 0 || length > KEPT_LENGTH) return PyUnicode_DecodeUTF8(bytes, length, NULL);
    unsigned long long parts[2] = {0, 0};
    memcpy(parts, bytes, length);
    unsigned long long hash = (parts[0] ^ (parts[1] * 0x9E3779B97F4A7C15ULL) ^ (unsigned)length) * 0xD6E8FEB86659FD93ULL;
    PyObject **slot = &kept_texts[hash >> 54], *known = *slot;
    if (known != NULL && PyUnicode_GET_LENGTH(known) == length &&
        memcmp(PyUnicode_1BYTE_DATA(known), bytes, length) == 0)
        return Py_NewRef(known);
    PyObject *text = PyUnicode_DecodeUTF8(bytes, length, NULL);
    if (text != NULL && PyUnicode_IS_COMPACT_ASCII(text)) Py_XSETREF(*slot, Py_NewRef(text));
    return text;
}

static PyObject *read_text(Cursor *c, const Node *node) {
    Py_ssize_t length;
    if (read_length(c, node, &length) < 0) return NULL;
    PyObject *text = text_of((const char *)c->at, length);
    c->at += length;
    return text != NULL ? text : located(node);
}

static PyObject *read_number(Cursor *c, const Node *node) {
    long long number;
    if (read_long(c, node, &number) < 0) return NULL;
    __int128 ours = (__int128)number * node->units;
    if (ours < node->low || ours > node->high) return fail(Misfit, node, PyUnicode_AsUTF8(node->object));
    if (node->operation == WHOLE_DOUBLE) return PyFloat_FromDouble((double)ours);
    return PyLong_FromLongLong((long long)ours);
}

static PyObject *read_real(Cursor *c, const Node *node) {
    int size = node->operation == DOUBLE ? 8 : 4;
    if (!is_left(c, node, size)) return NULL;
    double number = size == 8 ? PyFloat_Unpack8((const char *)c->at, 1) : PyFloat_Unpack4((const char *)c->at, 1);
    c->at += size;
    return isfinite(number) ? PyFloat_FromDouble(number) : fail(Misfit, node, "not a finite number");
}

static PyObject *read_bytes(Cursor *c, Py_ssize_t length) {
    PyObject *found = PyBytes_FromStringAndSize((const char *)c->at, length);
    c->at += length;
    return found;
}

/* An amount in its writer's scale as ten-thousandths; long ones, and unusual scales, are left to Python. */
static PyObject *read_amount(Cursor *c, const Node *node) {
    static const long long powers[] = {1, 10, 100, 1000, 10000};
    Py_ssize_t length = node->size;
    if (length < 0 ? read_length(c, node, &length) < 0 : !is_left(c, node, length)) return NULL;
    if (length == 0 || length > AMOUNT_BYTES_QUICK || node->units < 0 || node->units > AMOUNT_SCALE) {
        PyObject *raw = read_bytes(c, length);
        PyObject *found = raw == NULL ? NULL : PyObject_GetItem(node->object, raw);
        Py_XDECREF(raw);
        return found != NULL ? found : located(node);
    }
    __int128 number = (signed char)c->at[0];
    for (Py_ssize_t i = 1; i < length; i++) number = number * 256 + c->at[i];
    c->at += length;
    number *= powers[AMOUNT_SCALE - node->units];
    if (number <= -AMOUNT_END || number >= AMOUNT_END)
        return fail(Misfit, node, "an amount of more than 18 digits");
    return PyLong_FromLongLong((long long)number);
}

static PyObject *read_symbol(Cursor *c, const Node *node) {
    long long number;
    if (read_long(c, node, &number) < 0) return NULL;
    PyObject *symbol =
        number >= 0 && number < PyTuple_GET_SIZE(node->object) ? PyTuple_GET_ITEM(node->object, number) : Py_None;
    return symbol != Py_None ? Py_NewRef(symbol) : fail(Misfit, node, "not a value of its type");
}

static PyObject *read_value(Cursor *c, const Node *node);

static PyObject *read_union(Cursor *c, const Node *node) {
    if (!is_left(c, node, 1)) return NULL;
    unsigned char branch = *c->at++;
    if (branch & 1 || branch > 127 || branch / 2 >= node->count)
        return fail(Misfit, node, "a branch that the union does not have");
    return read_value(c, node->steps[branch / 2]);
}

static PyObject *default_of(PyObject *value) {
    if (!PyList_Check(value) && !PyDict_Check(value)) return Py_NewRef(value);
    return PyObject_CallOneArg(deepcopy, value);
}

static PyObject *read_record(Cursor *c, const Node *node) {
    PyTypeObject *type = (PyTypeObject *)node->object;
    PyObject *record = node->object == Py_None ? Py_NewRef(Py_None) : type->tp_alloc(type, 0);
    if (record == NULL) return NULL;
    for (Py_ssize_t i = 0; i < node->count; i++) {
        PyObject *value = read_value(c, node->steps[i]);
        if (value == NULL) goto failed;
        if (node->slots[i] < 0)
            Py_DECREF(value);
        else
            Py_XSETREF(*(PyObject **)((char *)record + node->slots[i]), value);
    }
    for (Py_ssize_t i = 0; i < node->default_count; i++) {
        PyObject *value = default_of(node->defaults[i]);
        if (value == NULL) goto failed;
        *(PyObject **)((char *)record + node->default_slots[i]) = value;
    }
    return record;
failed:
    Py_DECREF(record);
    return NULL;
}

static int read_item(Cursor *c, const Node *node, PyObject *found) {
    PyObject *key = node->operation == MAP ? read_text(c, node) : NULL;
    if (node->operation == MAP && key == NULL) return -1;
    PyObject *value = read_value(c, node->steps[0]);
    int done = value == NULL ? -1 : key != NULL ? PyDict_SetItem(found, key, value) : PyList_Append(found, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return done;
}

static PyObject *read_blocks(Cursor *c, const Node *node) {
    PyObject *found = node->operation == MAP ? PyDict_New() : PyList_New(0);
    if (found == NULL) return NULL;
    for (;;) {
        Py_ssize_t count;
        if (read_block(c, node, &count) < 0) goto failed;
        if (count == 0) return found;
        while (count-- > 0)
            if (read_item(c, node, found) < 0) goto failed;
    }
failed:
    Py_DECREF(found);
    return NULL;
}

static PyObject *read_boolean(Cursor *c, const Node *node) {
    if (!is_left(c, node, 1)) return NULL;
    unsigned char byte = *c->at++;
    return byte > 1 ? fail(Misfit, node, "not a value of its type") : PyBool_FromLong(byte);
}

static PyObject *pass_over(Cursor *c, const Node *node) {
    long long number;
    Py_ssize_t length = node->size;
    if (node->operation == PASS_NUMBER) return read_long(c, node, &number) < 0 ? NULL : Py_NewRef(Py_None);
    if (node->operation == PASS_BYTES ? read_length(c, node, &length) < 0 : !is_left(c, node, length)) return NULL;
    c->at += length;
    Py_RETURN_NONE;
}

static PyObject *read_value(Cursor *c, const Node *node) {
    Py_ssize_t length;
    switch (node->operation) {
    case NUL: Py_RETURN_NONE;
    case BOOLEAN: return read_boolean(c, node);
    case NUMBER:
    case WHOLE_DOUBLE: return read_number(c, node);
    case DOUBLE:
    case FLOAT: return read_real(c, node);
    case TEXT: return read_text(c, node);
    case BYTES: return read_length(c, node, &length) < 0 ? NULL : read_bytes(c, length);
    case FIXED: return is_left(c, node, node->size) ? read_bytes(c, node->size) : NULL;
    case AMOUNT: return read_amount(c, node);
    case SYMBOL: return read_symbol(c, node);
    case UNION: return read_union(c, node);
    case REFUSED: return fail(Misfit, node, PyUnicode_AsUTF8(node->object));
    case RECORD: return read_record(c, node);
    case ARRAY:
    case MAP: return read_blocks(c, node);
    case PASS_NUMBER:
    case PASS_BYTES:
    case PASS_FIXED: return pass_over(c, node);
    }
    return PyErr_Format(PyExc_SystemError, "no such operation: %d", node->operation);
}

/* ---- writing ---- */

static int make_room(Buffer *b, Py_ssize_t more) {
    if (b->room - b->length >= more) return 0;
    Py_ssize_t room = (b->length + more) * 2;
    unsigned char *data = PyMem_Realloc(b->data, room);
    if (data == NULL) return PyErr_NoMemory(), -1;
    b->data = data;
    b->room = room;
    return 0;
}

static int put(Buffer *b, const void *bytes, Py_ssize_t length) {
    if (make_room(b, length) < 0) return -1;
    memcpy(b->data + b->length, bytes, length);
    b->length += length;
    return 0;
}

static int put_byte(Buffer *b, unsigned char byte) { return put(b, &byte, 1); }

static int put_long(Buffer *b, long long number) {
    if (make_room(b, 10) < 0) return -1;
    unsigned long long rest = ((unsigned long long)number << 1) ^ (unsigned long long)(number >> 63);
    while (rest > 127) {
        b->data[b->length++] = (unsigned char)(rest & 127) | 128;
        rest >>= 7;
    }
    b->data[b->length++] = (unsigned char)rest;
    return 0;
}

/* A whole number of any type within bounds. */
static int number_of(PyObject *value, const Node *node, long long low, long long high, long long *number) {
    int overflow = 0;
    PyObject *found = PyLong_CheckExact(value) ? Py_NewRef(value) : PyObject_CallFunction(whole, "OLL", value, low, high);
    if (found == NULL) return located(node), -1;
    *number = PyLong_AsLongLongAndOverflow(found, &overflow);
    Py_DECREF(found);
    if (overflow || *number < low || *number > high) return fail(Misfit, node, "a number out of range"), -1;
    return 0;
}

static int write_number(Buffer *b, const Node *node, PyObject *value) {
    long long number;
    if (number_of(value, node, node->low, node->high, &number) < 0) return -1;
    return put_long(b, number);
}

static int write_amount(Buffer *b, const Node *node, PyObject *value) {
    long long number;
    if (number_of(value, node, 1 - AMOUNT_END, AMOUNT_END - 1, &number) < 0) return -1;
    int bits = 0;
    for (unsigned long long rest = number < 0 ? -(unsigned long long)number : (unsigned long long)number; rest; rest >>= 1)
        bits++;
    int size = (bits + 8) / 8;
    unsigned char digits[8];
    for (int i = 0; i < size; i++) digits[i] = (unsigned char)(number >> (8 * (size - 1 - i)));
    return put_long(b, size) < 0 ? -1 : put(b, digits, size);
}

static int write_real(Buffer *b, const Node *node, PyObject *value) {
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) return located(node), -1;
    if (!isfinite(number)) return fail(Misfit, node, "not a finite number"), -1;
    char packed[8];
    int done = node->operation == W_DOUBLE ? PyFloat_Pack8(number, packed, 1) : PyFloat_Pack4(number, packed, 1);
    if (done < 0) return located(node), -1;
    return put(b, packed, node->operation == W_DOUBLE ? 8 : 4);
}

static int write_text(Buffer *b, const Node *node, PyObject *value) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &length)
                                               : (PyErr_SetString(PyExc_TypeError, "not a text"), NULL);
    if (bytes == NULL) return located(node), -1;
    return put_long(b, length) < 0 ? -1 : put(b, bytes, length);
}

static int write_bytes(Buffer *b, const Node *node, PyObject *value) {
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return located(node), -1;
    int done = put_long(b, view.len) < 0 ? -1 : put(b, view.buf, view.len);
    PyBuffer_Release(&view);
    return done;
}

static int write_boolean(Buffer *b, const Node *node, PyObject *value) {
    if (value == Py_True || value == Py_False) return put_byte(b, value == Py_True);
    PyObject *known = PyObject_GetItem(booleans, value);
    if (known == NULL) return located(node), -1;
    int done = put(b, PyBytes_AS_STRING(known), 1);
    Py_DECREF(known);
    return done;
}

static int write_value(Buffer *b, const Node *node, PyObject *value);

static int write_record(Buffer *b, const Node *node, PyObject *record) {
    int is_ours = Py_IS_TYPE(record, (PyTypeObject *)node->object);
    for (Py_ssize_t i = 0; i < node->count; i++) {
        PyObject *value = is_ours ? Py_XNewRef(*(PyObject **)((char *)record + node->slots[i])) : NULL;
        if (value == NULL) value = PyObject_GetAttr(record, node->names[i]);
        if (value == NULL) return located(node->steps[i]), -1;
        int done = write_value(b, node->steps[i], value);
        Py_DECREF(value);
        if (done < 0) return -1;
    }
    return 0;
}

static int write_items(Buffer *b, const Node *node, PyObject *items) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(items, i));
        int done = write_value(b, node->steps[0], item);
        Py_DECREF(item);
        if (done < 0) return -1;
    }
    return 0;
}

static int write_array(Buffer *b, const Node *node, PyObject *value) {
    if (!PyList_Check(value) && !PyTuple_Check(value)) return fail(Misfit, node, "not a list"), -1;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
    if (count > 0 && (put_long(b, count) < 0 || write_items(b, node, value) < 0)) return -1;
    if (PySequence_Fast_GET_SIZE(value) != count) return fail(Misfit, node, "a list that changes meanwhile"), -1;
    return put_byte(b, 0);
}

static int write_map(Buffer *b, const Node *node, PyObject *value) {
    if (!PyDict_Check(value)) return fail(Misfit, node, "not a map"), -1;
    PyObject *pairs = PyDict_Items(value);
    if (pairs == NULL) return -1;
    Py_ssize_t count = PyList_GET_SIZE(pairs);
    int done = count > 0 ? put_long(b, count) : 0;
    for (Py_ssize_t i = 0; done == 0 && i < count; i++) {
        PyObject *key, *item;
        done = PyArg_ParseTuple(PyList_GET_ITEM(pairs, i), "OO", &key, &item) ? write_text(b, node, key) : -1;
        if (done == 0) done = write_value(b, node->steps[0], item);
    }
    Py_DECREF(pairs);
    return done < 0 ? -1 : put_byte(b, 0);
}

static int write_optional(Buffer *b, const Node *node, PyObject *value) {
    if (value == Py_None) return put_long(b, node->size);
    return put_long(b, 1 - node->size) < 0 ? -1 : write_value(b, node->steps[0], value);
}

static int write_value(Buffer *b, const Node *node, PyObject *value) {
    switch (node->operation) {
    case W_BOOLEAN: return write_boolean(b, node, value);
    case W_NUMBER: return write_number(b, node, value);
    case W_DOUBLE:
    case W_FLOAT: return write_real(b, node, value);
    case W_TEXT: return write_text(b, node, value);
    case W_BYTES: return write_bytes(b, node, value);
    case W_AMOUNT: return write_amount(b, node, value);
    case W_OPTIONAL: return write_optional(b, node, value);
    case W_RECORD: return write_record(b, node, value);
    case W_ARRAY: return write_array(b, node, value);
    case W_MAP: return write_map(b, node, value);
    }
    PyErr_Format(PyExc_SystemError, "no such operation: %d", node->operation);
    return -1;
}

/* ---- the two types ---- */

typedef struct {
    PyObject_HEAD
    Node *plan;
    Py_ssize_t start;
} Reader;

typedef struct {
    PyObject_HEAD
    Node *plan;
    PyObject *frame;
    Buffer buffer; /* kept between calls; taken out while one runs, since a slow path may call back */
} Writer;

static PyObject *reader_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(named)) {
    PyObject *plan;
    Py_ssize_t start;
    if (!PyArg_ParseTuple(arguments, "O!n", &PyTuple_Type, &plan, &start)) return NULL;
    Reader *self = (Reader *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->start = start;
    self->plan = node_new(plan, 0);
    if (self->plan == NULL) Py_CLEAR(self);
    return (PyObject *)self;
}

static void reader_free(Reader *self) {
    node_free(self->plan);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *reader_read(Reader *self, PyObject *value) {
    if (!PyBytes_Check(value)) return PyErr_Format(PyExc_TypeError, "a record is bytes");
    Cursor c = {(unsigned char *)PyBytes_AS_STRING(value), NULL};
    c.end = c.at + PyBytes_GET_SIZE(value);
    if (c.end - c.at < self->start) return cut(self->plan);
    c.at += self->start;
    PyObject *found = read_value(&c, self->plan);
    if (found == NULL || c.at == c.end) return found;
    Py_DECREF(found);
    return fail(Trailing, self->plan, "bytes follow the record");
}

static PyObject *writer_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(named)) {
    PyObject *plan, *frame;
    if (!PyArg_ParseTuple(arguments, "O!S", &PyTuple_Type, &plan, &frame)) return NULL;
    Writer *self = (Writer *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->frame = Py_NewRef(frame);
    self->plan = node_new(plan, 1);
    if (self->plan == NULL) Py_CLEAR(self);
    return (PyObject *)self;
}

static void writer_free(Writer *self) {
    node_free(self->plan);
    Py_XDECREF(self->frame);
    PyMem_Free(self->buffer.data);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *writer_write(Writer *self, PyObject *record) {
    if (!Py_IS_TYPE(record, (PyTypeObject *)self->plan->object))
        return fail(Misfit, self->plan, "the writer of another type");
    Buffer b = self->buffer;
    self->buffer = (Buffer){NULL, 0, 0};
    b.length = 0;
    int done = put(&b, PyBytes_AS_STRING(self->frame), PyBytes_GET_SIZE(self->frame));
    if (done == 0) done = write_record(&b, self->plan, record);
    PyObject *found = done == 0 ? PyBytes_FromStringAndSize((char *)b.data, b.length) : NULL;
    if (b.room > BUFFER_KEPT || self->buffer.data != NULL)
        PyMem_Free(b.data);
    else
        self->buffer = b;
    return found;
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)reader_read, METH_O, "The struct in a framed record."}, {NULL, NULL, 0, NULL}};
static PyMethodDef writer_methods[] = {
    {"write", (PyCFunction)writer_write, METH_O, "The record behind its frame."}, {NULL, NULL, 0, NULL}};

static PyTypeObject ReaderType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "schemas._avro.Reader",
    .tp_doc = "Reader(plan, start): reads records that begin behind `start` bytes of framing.",
    .tp_basicsize = sizeof(Reader),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = reader_new,
    .tp_dealloc = (destructor)reader_free,
    .tp_methods = reader_methods,
};
static PyTypeObject WriterType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "schemas._avro.Writer",
    .tp_doc = "Writer(plan, frame): writes records behind `frame`.",
    .tp_basicsize = sizeof(Writer),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = writer_new,
    .tp_dealloc = (destructor)writer_free,
    .tp_methods = writer_methods,
};

static PyObject *from(const char *module, const char *name) {
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported == NULL ? NULL : PyObject_GetAttrString(imported, name);
    Py_XDECREF(imported);
    return found;
}

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_avro", .m_size = -1,
                                        .m_doc = "The compiled codec: see schemas/plans.py."};

PyMODINIT_FUNC PyInit__avro(void) {
    if ((Misfit = from("schemas.wire", "Misfit")) == NULL || (Cut = from("schemas.wire", "Cut")) == NULL ||
        (Trailing = from("schemas.wire", "Trailing")) == NULL || (whole = from("schemas.wire", "whole")) == NULL ||
        (booleans = from("schemas.wire", "BOOLEANS")) == NULL || (deepcopy = from("copy", "deepcopy")) == NULL ||
        (path_name = PyUnicode_InternFromString("path")) == NULL)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyModule_AddType(module, &ReaderType) < 0 || PyModule_AddType(module, &WriterType) < 0)
        Py_CLEAR(module);
    return module;
}
