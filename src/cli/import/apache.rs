pub fn import(_: &str, _: &super::UserFiles<'_>, _: Option<&str>) -> Result<super::Draft, super::Unreadable> {
    todo!()
}
