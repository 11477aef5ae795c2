//! To come: grants in a cookie.
